// The list of incidents with their stages: what happened when, and who has answered.
import { FAULTS } from "./generated/contract";
import type { Incident, Lift } from "./model";
import { Why } from "./Why";
import { age, clock, controllerFault, word, type Lang } from "./texts";

const STAGES = ["detected", "published", "received", "committed"] as const;

function Chain({ incident, lang }: { incident: Incident; lang: Lang }) {
  const start = incident.stages.onset ?? incident.stages.received;
  const items = STAGES.map((name) => ({ name: word(name, lang), at: incident.stages[name], missing: "" }));
  const first = incident.deliveries.filter((delivery) => delivery.rev === incident.deliveries[0]?.rev);
  return (
    <ol className="chain">
      <li>
        <span>{word("onset", lang)}</span>
        <b>{clock(start, lang)}</b>
      </li>
      {items.map(({ name, at }) => (
        <li key={name}>
          <span>{name}</span>
          <b>{at === null ? "–" : `+${at - start} ms`}</b>
        </li>
      ))}
      {first.map((delivery) => (
        <li key={delivery.destination} className={delivery.receipted ? "receipted" : ""}>
          <span>{delivery.destination === "city" || delivery.destination === "cloud" ? word(delivery.destination, lang) : delivery.destination}</span>
          <b>
            {delivery.receipted !== null
              ? `✓ +${delivery.receipted - start} ms`
              : delivery.state === "not_mapped"
                ? word("notMapped", lang)
                : delivery.state === "withheld"
                  ? word("notPushed", lang)
                  : word("waiting", lang)}
          </b>
        </li>
      ))}
    </ol>
  );
}

export function Incidents(props: { incidents: Incident[]; lifts: ReadonlyMap<string, Lift>; lang: Lang; wall: number; onSelect: (id: string) => void }) {
  const { incidents, lifts, lang, wall, onSelect } = props;
  const open = incidents.filter((incident) => incident.phase !== "closed");
  const closed = incidents.filter((incident) => incident.phase === "closed").slice(0, 12);
  const card = (incident: Incident) => {
    const fault = FAULTS[incident.kind as keyof typeof FAULTS];
    const lift = lifts.get(incident.lift);
    const alive = incident.phase !== "closed";
    const level = !alive ? "closed" : incident.withheld ? "note" : incident.severity === 4 ? "danger" : "fault";
    const lasted = (incident.closed_at_ms ?? wall) - incident.opened_at_ms;
    return (
      <article key={incident.id} className={`incident incident-${level}`}>
        <button className="incident-head" onClick={() => onSelect(incident.lift)}>
          <span className="incident-title">
            {{ danger: "▲", fault: "◆", note: "⚒", closed: "✓" }[level]} {fault?.title[lang] ?? incident.kind}
          </span>
          <span className="incident-time">{age(Math.max(0, lasted), lang)}</span>
          <span className="incident-lift">
            {lift?.name ?? incident.lift}
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
        {open[0] && `${FAULTS[open[0].kind as keyof typeof FAULTS]?.title[lang] ?? open[0].kind} ${lifts.get(open[0].lift)?.name ?? ""}`}
      </div>
      {open.length === 0 && <p className="empty">{word("noIncidents", lang)}</p>}
      {open.map(card)}
      {closed.length > 0 && <h3>{word("closedBefore", lang)}</h3>}
      {closed.map(card)}
    </section>
  );
}
