// Acknowledge: "I have it". Who and when is seen by all, and the sound stops for all.
import { useState } from "react";
import { problemText } from "../api/client";
import { clock } from "../app/format";
import { useLang } from "../app/language";
import type { Case } from "../world/model";
import { mayStep, say } from "./steps";
import { word } from "./texts";

/** One step at a time; what went wrong is told beside the button. */
export function useSaying(): { busy: boolean; problem: string; run: (id: string, step: string, args?: Record<string, unknown>) => Promise<boolean> } {
  const lang = useLang();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (id: string, step: string, args?: Record<string, unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await say(id, step, args);
      return true;
    } catch (error) {
      setProblem(problemText(error, lang));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}

export function AckButton({ one, hint }: { one: Case; hint?: string }) {
  const lang = useLang();
  const { busy, problem, run } = useSaying();
  const step = mayStep(one, "acknowledge") ? "acknowledge" : mayStep(one, "take_over") ? "take_over" : null;
  return (
    <>
      {step && (
        <button className={`button ${step === "acknowledge" ? "button-danger" : ""}`} disabled={busy} onClick={() => void run(one.id, step)}>
          {word(step === "acknowledge" ? "acknowledge" : "takeOver", lang)} {hint && step === "acknowledge" && <kbd>{hint}</kbd>}
        </button>
      )}
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

/** "李明（皖安电梯）已确认 14:31:02". */
export function hasIt(one: Case, lang: "zh" | "en"): string | null {
  if (!one.acknowledged) return null;
  const { name, organisation, at_ms } = one.acknowledged;
  const who = organisation ? (lang === "zh" ? `${name}（${organisation}）` : `${name} (${organisation})`) : name;
  return word("has", lang, { name: who, time: clock(at_ms, lang) });
}
