// One lift that calls for somebody: what, for how long, who has it, who comes.
import { clock, counted } from "../app/format";
import { Fold } from "../app/Fold";
import { useLang, type Lang } from "../app/language";
import { Link } from "../app/Link";
import { useMe } from "../app/me";
import { address } from "../app/router";
import { serverNow } from "../app/time";
import { IncidentCard } from "../incidents/IncidentCard";
import { SEVERE, type Case, type Incident } from "../world/model";
import { useLift } from "../world/store";
import { AckButton, hasIt } from "./AckButton";
import { isNew, type Alarm } from "./alarms";
import { Shelve } from "./Shelve";
import { word } from "./texts";
import { caseTitle } from "./words";

// So long nobody has what is urgent, and the card says so louder: ours. Of the rest the server's reminders tell.
const OVERDUE_MS = 60_000;

interface Props {
  alarm: Alarm;
  incidents: ReadonlyMap<string, Incident>;
  hint: boolean;
  selected: boolean;
  /** On the page of its lift: no way there. */
  isHere?: boolean;
}

export function AlarmCard({ alarm, incidents, hint, selected, isHere = false }: Props) {
  const lang = useLang();
  const lift = useLift(alarm.lift);
  const [one] = alarm.cases;
  if (!one) return null;
  const now = serverNow();
  const isOverdue = isNew(one) && (one.reminders > 0 || (one.severity >= SEVERE && now - one.opened_at_ms >= OVERDUE_MS));
  const level = alarm.isShelved ? "shelved" : one.released_at_ms !== null ? "released" : alarm.severity >= 4 ? "danger" : "fault";
  const told = one.incidents.map((id) => incidents.get(id)).filter((incident) => incident !== undefined);
  return (
    <article data-alarm={alarm.lift} className={`alarm alarm-${level}${alarm.isNew ? " alarm-new" : ""}${isOverdue ? " alarm-overdue" : ""}${selected ? " selected" : ""}`} aria-label={`${caseTitle(one, incidents, lang)}, ${lift?.name ?? alarm.lift}`}>
      <div className="alarm-head">
        <span className="alarm-title">
          {{ danger: "▲", fault: "◆", shelved: "‖", released: "✓" }[level]} {caseTitle(one, incidents, lang)}
        </span>
        <span className="alarm-time figures">{counted((one.released_at_ms ?? now) - one.since_ms)}</span>
      </div>
      <div className="alarm-where">
        <b className="alarm-code figures">{one.rescue_code || lift?.rescue_code || "–"}</b>
        <span>
          {lift?.name ?? (alarm.lift || one.lift_name || (one.kind === "gateway_silent" ? one.gateway : one.place))}
          {alarm.repeats > 1 && <b className="repeats"> {word("repeats", lang, { count: alarm.repeats })}</b>}
          <br />
          <small>{one.kind === "gateway_silent" ? one.at_risk.length > 0 && word("atRisk", lang, { lifts: one.at_risk.join(", ") }) : (lift?.address ?? one.place)}</small>
        </span>
      </div>
      <State one={one} lang={lang} overdueMs={isOverdue ? now - one.opened_at_ms : null} />
      <Legs one={one} lang={lang} />
      <div className="buttons">
        <AckButton one={one} hint={hint ? "A" : undefined} />
        <Shelve one={one} />
        <Work one={one} />
        {lift && !isHere && (
          <Link className="button" href={address(`/lift/${encodeURIComponent(lift.id)}`)}>
            {word("open", lang)}
          </Link>
        )}
      </div>
      {told.length > 0 && (
        <Fold className="alarm-details" summary={word("details", lang)}>
          {() => told.map((incident) => <IncidentCard key={incident.id} incident={incident} all={incidents} />)}
        </Fold>
      )}
    </article>
  );
}

/** Where who may works on it: the dispatcher at his desk, the contractor's people on their page. */
function Work({ one }: { one: Case }) {
  const lang = useLang();
  const me = useMe();
  const page = me?.permissions.includes("cases.desk") ? "desk" : me?.permissions.includes("cases.work") ? "phone" : null;
  return page === null ? null : (
    <Link className="button work" href={address(`/${page}/${encodeURIComponent(one.id)}`)}>
      {word("handle", lang)}
    </Link>
  );
}

/** One line: who has it, or that nobody has. */
function State({ one, lang, overdueMs }: { one: Case; lang: Lang; overdueMs: number | null }) {
  const { shelved, released_at_ms } = one;
  const text = shelved
    ? word("shelvedUntil", lang, { time: clock(shelved.until_ms, lang), name: shelved.name, reason: shelved.reason })
    : released_at_ms !== null
      ? word("released", lang, { time: clock(released_at_ms, lang) })
      : overdueMs !== null
        ? word("overdue", lang, { time: counted(overdueMs) })
        : (hasIt(one, lang) ?? word("new", lang));
  return (
    <p className="alarm-state">
      {text}
      {!one.active && released_at_ms === null && one.incidents.length > 0 && <> · {word("cleared", lang)}</>}
    </p>
  );
}

/** Who was sent, and how far they are. Levels that nobody has called are left out. */
export function Legs({ one, lang }: { one: Case; lang: Lang }) {
  const sent = one.legs.filter((leg) => leg.state !== "standby");
  if (sent.length === 0) return null;
  return (
    <ul className="legs">
      {sent.map((leg) => (
        <li key={leg.level}>
          <b>{word("level", lang, { level: leg.level })}</b> {leg.organisation} · {word(`leg_${leg.state}`, lang)}
          {leg.eta_ms !== null && leg.state === "on_the_way" && <> · {word("eta", lang, { time: clock(leg.eta_ms, lang) })}</>}
        </li>
      ))}
    </ul>
  );
}
