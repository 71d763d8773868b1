// A call by telephone becomes a case: by the code in the car, or by a place only.
import { useEffect, useRef, useState } from "react";
import { opId } from "../alarm/steps";
import type { Case, CodeFound } from "../api/case";
import { call } from "../api/client";
import { useLang } from "../app/language";
import { go } from "../app/router";
import { codeIn, spaced } from "../cases/codes";
import { stepProblem } from "../cases/refusals";
import { numberOf } from "../cases/StepDialog";
import { word as caseWord } from "../cases/texts";
import { world } from "../world/store";
import { pathOf } from "./Queue";
import { word } from "./texts";

export const byCode = (code: string): Promise<CodeFound> => call<CodeFound>(`/api/v1/lifts/by-code/${code}`);

const WHATS = ["trapped", "fault", "other"] as const;

export function NewCase({ code: first, onClose }: { code: string; onClose: () => void }) {
  const lang = useLang();
  const dialog = useRef<HTMLDialogElement>(null);
  const op = useRef(opId()); // said again after a lost answer it makes no second case
  const [typed, setTyped] = useState(first);
  const [found, setFound] = useState<CodeFound | null>(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const [values, setValues] = useState({ kind: "trapped", place: "", caller: "", phone: "", persons: "", injured: "", note: "" });
  const code = codeIn(typed);
  useEffect(() => {
    const before = document.activeElement;
    if (!dialog.current?.open) dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    setFound(null);
    setProblem("");
    if (!code) return;
    let gone = false;
    byCode(code).then(
      (lift) => !gone && setFound(lift),
      () => !gone && setProblem(word("noCode", lang, { code: spaced(code) })),
    );
    return () => void (gone = true);
  }, [code, lang]);
  const set = (name: keyof typeof values) => (event: { target: { value: string } }) => setValues((was) => ({ ...was, [name]: event.target.value }));
  const ready = found !== null || (typed.trim() === "" && values.place.trim() !== "");
  const send = async () => {
    setBusy(true);
    setProblem("");
    const { persons, injured, ...texts } = values;
    try {
      const made = await call<Case>("/api/v1/cases", {
        method: "POST",
        body: { op: op.current, ...texts, rescue_code: found ? found.rescue_code : "", persons: numberOf(persons), injured: numberOf(injured) },
      });
      world.addCases([made]);
      go(pathOf(made));
      onClose();
    } catch (error) {
      setProblem(stepProblem(error, lang));
    } finally {
      setBusy(false);
    }
  };
  const field = (name: "place" | "caller" | "phone" | "persons" | "injured", label: string, type = "text") => (
    <label className="field">
      {label}
      <input type={type} min={0} max={200} maxLength={120} value={values[name]} onChange={set(name)} autoComplete="off" />
    </label>
  );
  return (
    <dialog ref={dialog} className="dialog new-case" aria-labelledby="new-case-title" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void send();
        }}
      >
        <h2 id="new-case-title">{word("callTitle", lang)}</h2>
        <label className="field">
          {word("callCode", lang)}
          <input className="code-input figures" inputMode="numeric" autoFocus autoComplete="off" maxLength={9} value={typed} onChange={(event) => setTyped(event.target.value)} />
        </label>
        <p className="found" role="status">
          {found && word("callFound", lang, { name: found.name, address: found.address, contractor: found.contractor || word("none", lang) })}
          {found?.case && <b> {word("callHasCase", lang)}</b>}
        </p>
        {field("place", word("callPlace", lang))}
        <fieldset className="radios">
          <legend>{word("callWhat", lang)}</legend>
          {WHATS.map((kind) => (
            <label key={kind} className="check">
              <input type="radio" name="kind" value={kind} checked={values.kind === kind} onChange={set("kind")} /> {word(`what_${kind}`, lang)}
            </label>
          ))}
        </fieldset>
        <div className="pair">
          {field("persons", word("personsCount", lang), "number")}
          {field("injured", word("personsHurt", lang), "number")}
          {field("caller", `${word("callerTitle", lang)}${caseWord("colon", lang)}${word("callerName", lang)}`)}
          {field("phone", word("callerPhone", lang), "tel")}
        </div>
        <label className="field">
          {word("noteLabel", lang)}
          <textarea rows={2} maxLength={1000} value={values.note} onChange={set("note")} />
        </label>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="buttons">
          <button className="button button-action" disabled={!ready || busy}>
            {word("callOpen", lang)}
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {caseWord("cancel", lang)}
          </button>
          {!ready && <small className="why-not">{word("callNeeds", lang)}</small>}
        </div>
      </form>
    </dialog>
  );
}
