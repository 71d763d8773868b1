// Saying steps of a case from a page: one at a time, and what went wrong in words.
import { useState } from "react";
import { say } from "../alarm/steps";
import { useLang } from "../app/language";
import { stepProblem } from "./refusals";

export interface Saying {
  busy: boolean;
  problem: string;
  clear: () => void;
  run: (step: string, args?: Record<string, unknown>) => Promise<boolean>;
}

export function useSteps(id: string): Saying {
  const lang = useLang();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState({ of: id, text: "" });
  const run = async (step: string, args?: Record<string, unknown>) => {
    setBusy(true);
    setProblem({ of: id, text: "" });
    try {
      await say(id, step, args);
      return true;
    } catch (error) {
      setProblem({ of: id, text: stepProblem(error, lang) });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem: problem.of === id ? problem.text : "", clear: () => setProblem({ of: id, text: "" }), run };
}
