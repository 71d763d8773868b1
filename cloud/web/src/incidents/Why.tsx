// Why an incident stands and what would end it, in the words of the fault table; what a lift nearly told.
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import type { Condition } from "../generated/api";
import type { Incident, Lift } from "../world/model";
import { faultTitle } from "../world/words";
import { word } from "./texts";

const join = (conditions: Condition[], lang: Lang) => conditions.map((condition) => condition[lang]).join(lang === "zh" ? "、" : ", ");

export function Why({ incident, lang }: { incident: Incident; lang: Lang }) {
  const { cause, held, clears, clear_ms, ended } = incident.explanation;
  const alive = incident.phase !== "closed";
  return (
    <details className="why">
      <summary>{word("why", lang)}</summary>
      {cause && <p>{cause[lang]}</p>}
      <ul>
        {held.map((condition) => (
          <li key={condition.condition}>
            {condition[lang]}
            {condition.since_ms != null && (
              <small>
                {" "}
                {word("since", lang)} {clock(condition.since_ms, lang)}
              </small>
            )}
          </li>
        ))}
      </ul>
      {alive && clears.length > 0 && (
        <p>
          {word("clearsWhen", lang)} {clears.map((group) => join(group, lang)).join(word("or", lang))}
          {clear_ms !== null && ` (${clear_ms / 1000} s)`}
        </p>
      )}
      {ended && (
        <p>
          {word("endedBy", lang)} {ended[lang]}
        </p>
      )}
    </details>
  );
}

/** {fault: count} as "Mains lost 2, Door cannot close 1". */
const counted = (counts: Record<string, number>, lang: Lang): string =>
  Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${faultTitle(name, lang)} ${count}`)
    .join(lang === "zh" ? "、" : ", ");

export function Counts({ lift, lang }: { lift: Lift; lang: Lang }) {
  const near = counted(lift.near_misses ?? {}, lang);
  const suppressed = counted(lift.suppressed ?? {}, lang);
  return (
    <>
      {near && (
        <p className="empty">
          {word("nearMisses", lang)} {near}
        </p>
      )}
      {suppressed && (
        <p className="empty">
          {word("suppressed", lang)} {suppressed}
        </p>
      )}
    </>
  );
}
