// The list of incidents, each with its stages; what is of an area event stands under it.
import { AreaMembers, areaPlace, isArea } from "./Area";
import { Chain } from "./Chain";
import { Why } from "./Why";
import { age } from "../app/format";
import type { Lang } from "../app/language";
import { FAULTS } from "../generated/contract";
import type { FaultName, Incident, Lift } from "../world/model";
import { controllerFault, faultTitle, lastKnown } from "../world/words";
import { word } from "./texts";

export function Incidents(props: {
  incidents: Incident[];
  all: ReadonlyMap<string, Incident>;
  lifts: ReadonlyMap<string, Lift>;
  lang: Lang;
  wall: number;
  onSelect: (id: string) => void;
}) {
  const { incidents, all, lifts, lang, wall, onSelect } = props;
  const open = incidents.filter((incident) => incident.phase !== "closed");
  const closed = incidents.filter((incident) => incident.phase === "closed").slice(0, 12);
  const card = (incident: Incident) => {
    const fault = FAULTS[incident.kind as FaultName];
    const lift = lifts.get(incident.lift);
    const alive = incident.phase !== "closed";
    const level = !alive ? "closed" : incident.withheld || incident.severity === 1 ? "note" : incident.severity === 4 ? "danger" : "fault";
    const area = isArea(incident);
    const lasted = (incident.closed_at_ms ?? wall) - incident.opened_at_ms;
    return (
      <article key={incident.id} className={`incident incident-${level}${area ? " incident-area" : ""}`}>
        <button className="incident-head" onClick={() => !area && onSelect(incident.lift)}>
          <span className="incident-title">
            {{ danger: "▲", fault: "◆", note: "⚒", closed: "✓" }[level]} {fault?.title[lang] ?? incident.kind}
          </span>
          <span className="incident-time">{age(Math.max(0, lasted), lang)}</span>
          <span className="incident-lift">
            {area ? areaPlace(incident, lang) : (lift?.name ?? incident.lift)}
            {lift?.rescue_code && <b> · {lift.rescue_code}</b>}
          </span>
          <span className="incident-phase">
            {word(`phase_${incident.phase}`, lang)}
            {incident.code !== null && ` · ${word("code", lang)} ${incident.code}`}
          </span>
        </button>
        {incident.withheld && <p>{word(`withheld_${incident.withheld}`, lang)}</p>}
        {alive && fault && <p>{fault.remedy[lang]}</p>}
        {incident.controller_fault && (
          <p>
            {controllerFault(incident.controller_fault, lang)} {alive && <i>{incident.controller_fault.remedy[lang]}</i>}
          </p>
        )}
        {alive && !area && incident.last_known_at_ms !== null && (
          <p>{lastKnown(incident.last_known, incident.last_known_at_ms, lang)}</p>
        )}
        {area && <AreaMembers area={incident} all={all} lifts={lifts} lang={lang} wall={wall} onSelect={onSelect} />}
        <Why incident={incident} lang={lang} />
        <Chain incident={incident} lang={lang} />
      </article>
    );
  };
  return (
    <section className="incidents" aria-label={word("incidents", lang)}>
      <h2>
        {word("incidents", lang)} <small>{open.length}</small>
      </h2>
      <div aria-live="assertive" className="visually-hidden">
        {open[0] && `${faultTitle(open[0].kind, lang)} ${lifts.get(open[0].lift)?.name ?? ""}`}
      </div>
      {open.length === 0 && <p className="empty">{word("noIncidents", lang)}</p>}
      {open.map(card)}
      {closed.length > 0 && <h3>{word("closedBefore", lang)}</h3>}
      {closed.map(card)}
    </section>
  );
}
