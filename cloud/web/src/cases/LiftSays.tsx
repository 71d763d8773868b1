// What the lift says now, as a sentence with its age; hatched and with "since" where it says nothing.
import { Age } from "../app/Age";
import { useLang } from "../app/language";
import { useLift } from "../world/store";
import { lastKnown } from "../world/words";
import { liftSays, whySilent } from "./told";
import { word } from "./texts";

export function LiftSays({ id }: { id: string }) {
  const lang = useLang();
  const lift = useLift(id);
  const silent = whySilent(lift, lang);
  if (!lift || silent !== null)
    return (
      <p className="says says-old">
        <b>{silent}</b>
        {lift?.last_known?.at_ms != null && <span> {lastKnown(lift.last_known.state, lift.last_known.at_ms, lang)}</span>}
      </p>
    );
  return (
    <p className="says">
      {liftSays(lift, lang).map(({ text, bad, unknown }, at) => (
        <span key={text} className={bad ? "says-bad" : unknown ? "says-unknown" : undefined}>
          {at > 0 && word("comma", lang)}
          {text}
        </span>
      ))}
      {" · "}
      <Age ms={lift.age_ms} seenAt={lift.seenAt} lang={lang} className="says-age" />
    </p>
  );
}
