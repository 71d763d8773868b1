// The list of what calls for somebody: cases by lift, then events that are no case.
import { useEffect, useRef, useState } from "react";
import { Fold } from "../app/Fold";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { useQuery } from "../app/router";
import { useNow } from "../app/time";
import { IncidentCard } from "../incidents/IncidentCard";
import { isAlive, type Case } from "../world/model";
import { useCases, useIncidents } from "../world/store";
import { useSaying } from "./AckButton";
import { AlarmCard } from "./AlarmCard";
import "./alarm.css";
import { countOf, isNew, listed, type Alarm } from "./alarms";
import { urgent } from "./attention";
import { mayStep } from "./steps";
import { word } from "./texts";

const SHOWN_CLOSED = 12;
// They are in the order in which they are looked at: who has worked through these opens the rest.
const SHOWN = 50;

/** Told at once to who has the page read to him: only that somebody is newly trapped. */
export function Urgent() {
  const lang = useLang();
  const cases = useCases();
  const known = useRef<ReadonlySet<string>>(new Set());
  const [text, setText] = useState("");
  useEffect(() => {
    const fresh = [...cases.values()].filter((one) => isNew(one) && !known.current.has(one.id));
    known.current = new Set([...cases.values()].filter(isNew).map((one) => one.id));
    const told = urgent(fresh, lang);
    if (told) setText(told);
  }, [cases, lang]);
  return (
    <div aria-live="assertive" className="visually-hidden">
      {text}
    </div>
  );
}

export function Alarms() {
  const lang = useLang();
  const cases = useCases();
  const incidents = useIncidents();
  const [chosen] = useQuery("lift");
  const { problem, run } = useSaying();
  useNow(1000);
  const found = listed(cases, incidents);
  const { areas, alarms } = found;
  const open = found.others.filter(isAlive);
  const closed = found.others.filter((one) => !isAlive(one)).slice(0, SHOWN_CLOSED);
  const all = [...alarms, ...areas.flatMap((area) => area.alarms)];
  const first: Case | undefined = [...all.filter((one) => one.lift === chosen), ...all]
    .flatMap((one) => one.cases)
    .find((one) => isNew(one) && mayStep(one, "acknowledge"));
  useKeys([
    {
      keys: ["a"],
      does: { zh: word("keyAcknowledge", "zh"), en: word("keyAcknowledge", "en") },
      run: () => void (first && run(first.id, "acknowledge")),
    },
  ]);
  const card = (alarm: Alarm) => (
    <AlarmCard key={alarm.cases[0]!.id} alarm={alarm} incidents={incidents} hint={first !== undefined && alarm.cases.includes(first)} selected={alarm.lift !== "" && alarm.lift === chosen} />
  );
  return (
    <section className="alarms" aria-label={word("alarms", lang)}>
      <Urgent />
      <h2>
        {word("alarms", lang)} <small>{countOf(found)}</small>
      </h2>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {alarms.length + areas.length + open.length === 0 && <p className="empty">{word("none", lang)}</p>}
      {areas.map((area) => (
        <div key={area.incident.id}>
          <IncidentCard incident={area.incident} all={incidents} />
          {area.alarms.length > 0 && (
            <Fold className="closed" summary={word("ofArea", lang, { count: area.alarms.length })}>
              {() => area.alarms.map(card)}
            </Fold>
          )}
        </div>
      ))}
      {alarms.slice(0, SHOWN).map(card)}
      {alarms.length > SHOWN && (
        <Fold className="closed" summary={word("more", lang, { count: alarms.length - SHOWN })}>
          {() => alarms.slice(SHOWN).map(card)}
        </Fold>
      )}
      {alarms.length > 0 && open.length > 0 && <h3>{word("others", lang)}</h3>}
      {open.map((incident) => (
        <IncidentCard key={incident.id} incident={incident} all={incidents} />
      ))}
      {closed.length > 0 && (
        <Fold className="closed" summary={`${word("closedBefore", lang)} (${closed.length})`}>
          {() => closed.map((incident) => <IncidentCard key={incident.id} incident={incident} all={incidents} />)}
        </Fold>
      )}
    </section>
  );
}
