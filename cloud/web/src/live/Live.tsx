// The contractor's live view: all his lifts, and what calls for somebody.
import { useEffect, useState } from "react";
import { useLang, type Lang } from "../app/language";
import { address, go } from "../app/router";
import { serverNow, useNow } from "../app/time";
import { Incidents } from "../incidents/Incidents";
import { inOrder, unfolded } from "../world/model";
import { useEntries, useIncidents, useLift, world } from "../world/store";
import { ShaftStrip } from "./ShaftStrip";
import { word } from "./texts";

const open = (lift: string) => go(address(`/lift/${lift}`));

function Strip({ id, lang, now }: { id: string; lang: Lang; now: number }) {
  const lift = useLift(id);
  return lift ? <ShaftStrip lift={lift} lang={lang} now={now} selected={false} onSelect={open} /> : null;
}

export default function Live() {
  const lang = useLang();
  const entries = useEntries();
  const incidents = useIncidents();
  const [now, setNow] = useState(() => performance.now());
  useNow();
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="split">
      <section aria-label={word("lifts", lang)}>
        <h2>
          {word("lifts", lang)} <small>{entries.length}</small>
        </h2>
        {entries.length === 0 && <p className="empty">{word("noLifts", lang)}</p>}
        <div className="strips">
          {entries.map((entry) => (
            <Strip key={entry.id} id={entry.id} lang={lang} now={now} />
          ))}
        </div>
      </section>
      <Incidents incidents={inOrder(unfolded(incidents))} all={incidents} lifts={world.lifts} lang={lang} wall={serverNow()} onSelect={open} />
    </div>
  );
}
