// The talk button: calls the car, shows how it stands, hangs up. Without a voice path it is there, off, and says why.
import { useKeys } from "../app/keys";
import { counted } from "../app/format";
import { useLang } from "../app/language";
import { useNow } from "../app/time";
import { word } from "./texts";
import type { Voice } from "./voice";

export function TalkButton({ voice }: { voice: Voice | null }) {
  const lang = useLang();
  const now = useNow(1000);
  const busy = voice?.state === "calling" || voice?.state === "talking";
  const press = () => (busy ? voice?.hangUp() : voice?.call());
  useKeys([{ keys: ["c"], does: { zh: word("keyTalk", "zh"), en: word("keyTalk", "en") }, run: press }]);
  const text = {
    idle: word("talk", lang),
    calling: word("talkCalling", lang),
    talking: word("talkTalking", lang, { time: counted(voice?.sinceMs ? now - voice.sinceMs : 0) }),
    failed: word("talkAgain", lang),
  }[voice?.state ?? "idle"];
  return (
    <span className={`talk talk-${voice?.state ?? "none"}`}>
      <button className={`button ${busy ? "button-danger" : voice ? "button-action" : ""}`} disabled={!voice} aria-describedby="talk-why" onClick={press}>
        {text} <kbd>C</kbd>
      </button>
      <small id="talk-why" className="why-not" role={voice?.state === "failed" ? "alert" : undefined}>
        {voice ? voice.why : word("noVoice", lang)}
      </small>
    </span>
  );
}
