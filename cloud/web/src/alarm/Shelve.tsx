// Shelving: put aside until a time, for a reason. Never what is about somebody trapped.
import { useRef, useState } from "react";
import { useLang } from "../app/language";
import { serverNow } from "../app/time";
import type { Case } from "../world/model";
import { useSaying } from "./AckButton";
import { mayStep } from "./steps";
import { word } from "./texts";

const HOUR_MS = 3_600_000;
const HOURS = [1, 4, 8, 24, 72] as const;
const MAX_REASON = 200;

export function Shelve({ one }: { one: Case }) {
  const lang = useLang();
  const dialog = useRef<HTMLDialogElement>(null);
  const [hours, setHours] = useState<number>(4);
  const [reason, setReason] = useState("");
  const { busy, problem, run } = useSaying();
  if (one.shelved && mayStep(one, "unshelve"))
    return (
      <button className="button" disabled={busy} onClick={() => void run(one.id, "unshelve")}>
        {word("unshelve", lang)}
      </button>
    );
  if (!mayStep(one, "shelve")) return null;
  const send = async () => {
    if (await run(one.id, "shelve", { until_ms: Math.round(serverNow()) + hours * HOUR_MS, reason: reason.trim() })) dialog.current?.close();
  };
  return (
    <>
      <button className="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        {word("shelve", lang)}
      </button>
      <dialog ref={dialog} className="dialog" aria-label={word("shelveTitle", lang)}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <h2>{word("shelveTitle", lang)}</h2>
          <fieldset className="radios">
            <legend>{word("shelveFor", lang)}</legend>
            {HOURS.map((count) => (
              <label key={count} className="check">
                <input type="radio" name="hours" checked={hours === count} onChange={() => setHours(count)} /> {word("hours", lang, { count })}
              </label>
            ))}
          </fieldset>
          <label className="field">
            {word("shelveReason", lang)}
            <input required maxLength={MAX_REASON} value={reason} onChange={(event) => setReason(event.target.value)} />
          </label>
          {problem && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          <div className="buttons">
            <button className="button button-action" disabled={busy || !reason.trim()}>
              {word("shelve", lang)}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              {word("cancel", lang)}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
