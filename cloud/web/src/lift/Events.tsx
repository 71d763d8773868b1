// The events of one lift, newest first, each with its stages; a serious one with its black box.
import { useEffect, useState } from "react";
import { call, problemText } from "../api/client";
import { dayAndClock } from "../app/format";
import { useLang } from "../app/language";
import { Link } from "../app/Link";
import { address, useQuery } from "../app/router";
import type { Incident as ApiIncident } from "../generated/api";
import { IncidentCard } from "../incidents/IncidentCard";
import { incidentOf, type Incident, type Lift } from "../world/model";
import { useIncidents } from "../world/store";
import { BlackBox } from "./BlackBox";
import { word } from "./texts";

const PAGE = 30;
// The gateway keeps boxes from this severity on.
const SERIOUS = 3;
const ROUND_MS = 120_000;

export function Events({ lift }: { lift: Lift }) {
  const lang = useLang();
  const live = useIncidents();
  const [read, setRead] = useState<Incident[]>([]);
  const [isAll, setAll] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [box, setBox] = useQuery("box");
  const load = async (beforeMs: number | null) => {
    try {
      const before = beforeMs === null ? "" : `&before_ms=${beforeMs}`;
      const found = (await call<ApiIncident[]>(`/api/v1/incidents?lift=${encodeURIComponent(lift.id)}&limit=${PAGE}${before}`)).map(incidentOf);
      setRead((was) => (beforeMs === null ? found : [...was, ...found]));
      setAll(found.length < PAGE);
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  };
  useEffect(() => void load(null), [lift.id]);
  // What the stream told since then is newer.
  const all = new Map(read.map((one) => [one.id, one]));
  for (const one of live.values()) if (one.lift === lift.id && (all.get(one.id)?.version ?? -1) <= one.version) all.set(one.id, one);
  const shown = [...all.values()].sort((a, b) => b.opened_at_ms - a.opened_at_ms);
  return (
    <>
      {box && <BlackBox lift={lift} incident={box} onClose={() => setBox("")} />}
      <section className="events" aria-label={word("events", lang)}>
        <h2>{word("events", lang)}</h2>
        {problem !== null && <p className="problem">{problemText(problem, lang)}</p>}
        {shown.length === 0 && problem === null && <p className="empty">{word(isAll ? "noEvents" : "loading", lang)}</p>}
        <ol className="event-list">
          {shown.map((one) => (
            <li key={one.id}>
              <time className="figures" dateTime={new Date(one.opened_at_ms).toISOString()}>
                {dayAndClock(one.opened_at_ms, lang)}
              </time>
              <div>
                <IncidentCard incident={one} all={live} />
                <div className="buttons">
                  {one.severity >= SERIOUS && (
                    <button className="button" onClick={() => (setBox(one.id), scrollTo({ top: 0 }))}>
                      {word("showBlackBox", lang)}
                    </button>
                  )}
                  <Link
                    className="button"
                    href={address(`/lift/${encodeURIComponent(lift.id)}`, {
                      tab: "history", from: String(one.opened_at_ms - ROUND_MS), to: String((one.closed_at_ms ?? one.opened_at_ms + ROUND_MS) + ROUND_MS),
                    })}
                  >
                    {word("inHistory", lang)}
                  </Link>
                </div>
              </div>
            </li>
          ))}
        </ol>
        {!isAll && shown.length > 0 && (
          <button className="button" onClick={() => void load(Math.min(...read.map((one) => one.opened_at_ms)))}>
            {word("more", lang)}
          </button>
        )}
      </section>
    </>
  );
}
