// Start of shift, and the state of the sound, in the head of every page: red where the browser blocks it.
import { useLang } from "../app/language";
import { askToNotify } from "./attention";
import { endShift, startShift, useSound } from "./sound";
import { word } from "./texts";

const Speaker = ({ on }: { on: boolean }) => (
  <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" className="icon">
    <path d="M3 7.5h3.5L11 3.5v13l-4.5-4H3z" />
    {on ? <path d="M13.5 7a4 4 0 0 1 0 6M15.5 4.5a7.5 7.5 0 0 1 0 11" className="stroke" /> : <path d="M13.5 8l4.5 4.5M18 8l-4.5 4.5" className="stroke" />}
  </svg>
);

export function Shift() {
  const lang = useLang();
  const state = useSound();
  const start = () => {
    askToNotify();
    void startShift();
  };
  const [text, hint] = (
    { off: ["startShift", "startShiftHint"], on: ["soundOn", "soundOnHint"], blocked: ["soundBlocked", "startShiftHint"] } as const
  )[state];
  return (
    <button className={`pill shift shift-${state}`} title={word(hint, lang)} onClick={state === "on" ? endShift : start}>
      <Speaker on={state === "on"} /> {word(text, lang)}
    </button>
  );
}
