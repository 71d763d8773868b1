// The buttons of a case: only what the server would take now, and the forms behind them.
import { useState } from "react";
import type { Case } from "../api/case";
import { call } from "../api/client";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { useMe } from "../app/me";
import { levelsOf, may, mayAny } from "../cases/allowed";
import { codeIn } from "../cases/codes";
import { stepProblem } from "../cases/refusals";
import { StepDialog } from "../cases/StepDialog";
import { useSteps } from "../cases/useSteps";
import { formOf, type Asked, type FormName } from "./forms";
import { TalkButton } from "./TalkButton";
import { word } from "./texts";
import { useVoice } from "./voice";

const LEVELS = [1, 2, 3] as const;
const FORMS: readonly (readonly [FormName, "persons" | "release" | "falseAlarm" | "callBack" | "cause" | "close" | "raise" | "link" | "callerStep" | "note", string])[] = [
  ["persons", "persons", "P"],
  ["raise", "raise", ""],
  ["link", "link", ""],
  ["caller", "callerStep", ""],
  ["released", "release", "R"],
  ["no_rescue", "falseAlarm", "F"],
  ["call_back", "callBack", ""],
  ["cause", "cause", ""],
  ["close", "close", ""],
  ["note", "note", "M"],
];

/** Not everything that would be taken helps: whom a lift told of has no caller, and who is shut in is let out before anything is closed. */
const isApt = (one: Case, form: FormName): boolean =>
  form === "caller" ? one.source === "telephone" : form === "close" ? one.kind !== "trapped" || one.phase !== "open" : true;

/** The step of a form for a case, and the forms' dialog. */
export function useForms(one: Case) {
  const lang = useLang();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [own, setOwn] = useState("");
  const { busy, problem, clear, run } = useSteps(one.id);
  const ask = (next: Asked) => {
    clear();
    setOwn("");
    setAsked(next);
  };
  const form = asked && formOf(one, asked, lang);
  const send = async (args: Record<string, unknown>) => {
    if (!form) return;
    let said = args;
    if (form.step === "link") {
      const code = codeIn(String(args.code));
      if (!code) return setOwn(word("linkLabel", lang));
      try {
        said = { lift: (await call<{ lift: string }>(`/api/v1/lifts/by-code/${code}`)).lift };
      } catch (error) {
        return setOwn(stepProblem(error, lang));
      }
    }
    if (await run(form.step, said)) setAsked(null);
  };
  const dialog = form && (
    <StepDialog key={`${asked.form}-${asked.level ?? ""}`} form={form} busy={busy} problem={own || problem} onSend={(values) => void send(form.args(values))} onClose={() => setAsked(null)} />
  );
  return { ask, dialog, busy, run, problem: asked ? "" : problem };
}

export type Forms = ReturnType<typeof useForms>;

export function Actions({ one, forms }: { one: Case; forms: Forms }) {
  const lang = useLang();
  const voice = useVoice(one.lift);
  const { ask, busy, run, problem } = forms;
  const me = useMe();
  // The stream does not know who reads it: what one has oneself is not taken over.
  const isMine = one.acknowledged?.by === me?.id;
  const ack = may(one, "acknowledge") ? "acknowledge" : may(one, "take_over") && !isMine ? "take_over" : null;
  const order = (level: number) => {
    if (!may(one, "order", level)) return;
    if (level === 3) ask({ form: "order", level });
    else void run("order", { level });
  };
  const open = (form: FormName) => mayAny(one, form) && ask({ form });
  useKeys([
    { keys: ["a"], does: { zh: word("keyAck", "zh"), en: word("keyAck", "en") }, run: () => ack === "acknowledge" && void run(ack) },
    ...LEVELS.map((level) => ({
      keys: [String(level)],
      does: { zh: `${word("keyOrder", "zh")} ${level}`, en: `${word("keyOrder", "en")} ${level}` },
      run: () => order(level),
    })),
    { keys: ["p"], does: { zh: word("keyPersons", "zh"), en: word("keyPersons", "en") }, run: () => open("persons") },
    { keys: ["r"], does: { zh: word("keyRelease", "zh"), en: word("keyRelease", "en") }, run: () => open("released") },
    { keys: ["f"], does: { zh: word("keyFalse", "zh"), en: word("keyFalse", "en") }, run: () => open("no_rescue") },
    { keys: ["m"], does: { zh: word("keyNote", "zh"), en: word("keyNote", "en") }, run: () => open("note") },
  ]);
  return (
    <>
      <div className="buttons case-buttons">
        {ack && (
          <button className={`button ${ack === "acknowledge" ? "button-danger" : ""}`} disabled={busy} onClick={() => void run(ack)}>
            {word(ack === "acknowledge" ? "acknowledge" : "takeOver", lang)} {ack === "acknowledge" && <kbd>A</kbd>}
          </button>
        )}
        {one.phase === "open" && one.lift && <TalkButton voice={voice} />}
        {levelsOf(one, "order").map((level) => (
          <button key={level} className="button" disabled={busy} aria-haspopup={level === 3 ? "dialog" : undefined} onClick={() => order(level)}>
            {word("order", lang, { level })} <kbd>{level}</kbd>
          </button>
        ))}
        {FORMS.filter(([form]) => mayAny(one, form) && isApt(one, form)).map(([form, text, key]) => (
          <button key={form} className="button" aria-haspopup="dialog" onClick={() => ask({ form })}>
            {word(text, lang)} {key && <kbd>{key}</kbd>}
          </button>
        ))}
        {levelsOf(one, "end_alarm").slice(0, 1).map((level) => (
          <button key="end" className="button" disabled={busy} onClick={() => void run("end_alarm", { level })}>
            {word("endAlarm", lang)}
          </button>
        ))}
        {may(one, "end_alarm") && (
          <button className="button" disabled={busy} onClick={() => void run("end_alarm")}>
            {word("endAlarm", lang)}
          </button>
        )}
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
