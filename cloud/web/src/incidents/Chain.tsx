// The stages of one incident: what happened when, and who has answered.
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import type { Incident } from "../world/model";
import { word } from "./texts";

const STAGES = ["detected", "published", "received", "committed"] as const;

export function Chain({ incident, lang }: { incident: Incident; lang: Lang }) {
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
