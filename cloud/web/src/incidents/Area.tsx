// An area event's members in the order in which they are looked after, each with its own incidents folded under it.
import { age, clock } from "../app/format";
import type { Lang } from "../app/language";
import { REASONS, TRIAGE } from "../generated/contract";
import type { Incident, Lift, Member, TriageClass } from "../world/model";
import { atFloor, faultTitle, lastKnown } from "../world/words";
import { Chain } from "./Chain";
import { word } from "./texts";

// So many rows are seen at once; the rest is a click away.
const SHOWN = 8;
const CLASSES = Object.keys(TRIAGE) as TriageClass[];
const SYMBOLS: Record<TriageClass, string> = { alarm: "▲", occupied: "●", unknown: "?", moving: "↕", empty: "○", ended: "✓" };

export const isArea = (incident: Incident): boolean => incident.kind.startsWith("area_");

/** "hefang-yuan · 5 of 6 lifts", or over how many sites. */
export function areaPlace(area: Incident, lang: Lang): string {
  const { site, sites, lifts, lifts_known } = area.snapshot as Record<string, string | number | undefined>;
  if (area.snapshot.into) return word("mergedInto", lang);
  const where = site ?? `${sites} ${word("sites", lang)}`;
  return `${where} · ${lifts} ${word("lifts_of", lang)} ${lifts_known} ${word("lifts_known", lang)}`;
}

function reason(member: Member, lang: Lang): string {
  const own = REASONS[member.reason as keyof typeof REASONS];
  return own?.[lang] ?? faultTitle(member.reason, lang);
}

/** How old the knowledge is by which it stands where it stands; of a node that is heard it is as old as its last state. */
function known(member: Member, lift: Lift | undefined, lang: Lang): string {
  const heard = member.live && (lift === undefined || lift.quality === "good" || lift.quality === "bus_silent");
  if (member.passenger_at_ms === null) return "";
  if (heard) return [word("now", lang), ...floor(member, lang)].join(" · ");
  return lastKnown({ passenger: member.passenger, floor: member.floor, door_zone: member.in_zone }, member.passenger_at_ms, lang);
}

/** Where its controller said last that the car is: it is mute in a power cut. */
const floor = (member: Member, lang: Lang): string[] =>
  member.floor === null || member.car_at_ms === null
    ? []
    : [`${atFloor(member.floor, lang)} (${word("lastKnown", lang).toLowerCase()} ${clock(member.car_at_ms, lang)})`];

interface Props {
  area: Incident;
  all: ReadonlyMap<string, Incident>;
  lifts: ReadonlyMap<string, Lift>;
  lang: Lang;
  wall: number;
  onSelect: (id: string) => void;
}

function Row({ member, all, lifts, lang, wall, onSelect }: Props & { member: Member }) {
  const lift = lifts.get(member.lift);
  const own = member.incidents.map((id) => all.get(id)).filter((incident) => incident !== undefined);
  const details = known(member, lift, lang);
  return (
    <li className={`member member-${member.class}`}>
      <details>
        <summary>
          <span className="member-class">
            {SYMBOLS[member.class]} {TRIAGE[member.class][lang]}
          </span>
          <span className="member-time">{age(Math.max(0, (member.ended_ms ?? wall) - member.since_ms), lang)}</span>
          <span className="member-lift">
            {lift?.name ?? member.lift}
            {lift?.rescue_code && <b> · {lift.rescue_code}</b>}
          </span>
          <span className="member-reason">
            {member.class !== "ended" && reason(member, lang)}
            {member.class !== "ended" && details && <i> · {details}</i>}
          </span>
        </summary>
        <button onClick={() => onSelect(member.lift)}>{word("history", lang)}</button>
        {own.map((incident) => (
          <div key={incident.id} className="member-incident">
            <b>{faultTitle(incident.kind, lang)}</b> ·{" "}
            {word(`phase_${incident.phase}`, lang)} · {clock(incident.opened_at_ms, lang)}
            <Chain incident={incident} lang={lang} />
          </div>
        ))}
      </details>
    </li>
  );
}

export function AreaMembers(props: Props) {
  const { area, lang } = props;
  const { members, snapshot } = area;
  const shown = area.phase === "closed" ? 0 : SHOWN;
  const counts = CLASSES.map((name) => ({ name, count: Number(snapshot[name] ?? 0) })).filter(({ count }) => count > 0);
  const unlisted = Number(snapshot.lifts ?? members.length) - members.length;
  const rows = (some: Member[]) => some.map((member) => <Row key={member.lift} {...props} member={member} />);
  return (
    <div className="area">
      <p className="area-counts">
        {counts.map(({ name, count }) => (
          <span key={name} className={`count count-${name}`}>
            {SYMBOLS[name]} {count} {TRIAGE[name][lang]}
          </span>
        ))}
      </p>
      <ol className="members" aria-label={word("members", lang)}>
        {rows(members.slice(0, shown))}
      </ol>
      {members.length > shown && (
        <details className="more">
          <summary>
            {lang === "zh" ? `${word("moreMembers", lang)} ${members.length - shown} 台` : `${members.length - shown} ${word("moreMembers", lang)}`}
          </summary>
          <ol className="members" start={shown + 1}>
            {rows(members.slice(shown))}
          </ol>
        </details>
      )}
      {unlisted > 0 && (
        <p className="empty">
          {unlisted} {word("moreUnlisted", lang)}
        </p>
      )}
    </div>
  );
}
