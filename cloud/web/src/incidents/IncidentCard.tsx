// One incident with its stages; what is of an area event stands under it.
import { age } from "../app/format";
import { useLang } from "../app/language";
import { Link } from "../app/Link";
import { address, go } from "../app/router";
import { serverNow } from "../app/time";
import { FAULTS } from "../generated/contract";
import { isAlive, type FaultName, type Incident } from "../world/model";
import { world } from "../world/store";
import { controllerFault, lastKnown } from "../world/words";
import { AreaMembers, areaPlace, isArea } from "./Area";
import { Chain } from "./Chain";
import "./incidents.css";
import { word } from "./texts";
import { Why } from "./Why";

const toLift = (id: string) => go(address(`/lift/${encodeURIComponent(id)}`));

export function IncidentCard({ incident, all }: { incident: Incident; all: ReadonlyMap<string, Incident> }) {
  const lang = useLang();
  const fault = FAULTS[incident.kind as FaultName];
  const lift = world.lifts.get(incident.lift);
  const alive = isAlive(incident);
  const level = !alive ? "closed" : incident.withheld || incident.severity === 1 ? "note" : incident.severity === 4 ? "danger" : "fault";
  const area = isArea(incident);
  const now = serverNow();
  const head = (
    <>
      <span className="incident-title">
        {{ danger: "▲", fault: "◆", note: "⚒", closed: "✓" }[level]} {fault?.title[lang] ?? incident.kind}
      </span>
      <span className="incident-time figures">{age(Math.max(0, (incident.closed_at_ms ?? now) - incident.opened_at_ms), lang)}</span>
      <span className="incident-lift">
        {area ? areaPlace(incident, lang) : (lift?.name ?? incident.lift)}
        {lift?.rescue_code && <b> · {lift.rescue_code}</b>}
      </span>
      <span className="incident-phase">
        {word(`phase_${incident.phase}`, lang)}
        {incident.code !== null && ` · ${word("code", lang)} ${incident.code}`}
      </span>
    </>
  );
  return (
    <article className={`incident incident-${level}${area ? " incident-area" : ""}`}>
      {area || !lift ? (
        <div className="incident-head">{head}</div>
      ) : (
        <Link className="incident-head" href={address(`/lift/${encodeURIComponent(lift.id)}`)}>
          {head}
        </Link>
      )}
      {incident.withheld && <p>{word(`withheld_${incident.withheld}`, lang)}</p>}
      {alive && fault && <p>{fault.remedy[lang]}</p>}
      {incident.controller_fault && (
        <p>
          {controllerFault(incident.controller_fault, lang)} {alive && <i>{incident.controller_fault.remedy[lang]}</i>}
        </p>
      )}
      {alive && !area && incident.last_known_at_ms !== null && <p>{lastKnown(incident.last_known, incident.last_known_at_ms, lang)}</p>}
      {area && <AreaMembers area={incident} all={all} lifts={world.lifts} lang={lang} wall={now} onSelect={toLift} />}
      <Why incident={incident} lang={lang} />
      <Chain incident={incident} lang={lang} />
    </article>
  );
}
