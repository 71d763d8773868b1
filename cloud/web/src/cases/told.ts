// What a lift says of itself, in words. What is not known is said to be unknown; what is old is not said at all.
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import { serverTime } from "../app/time";
import { ENUMS } from "../generated/contract";
import { floorName, hangs, shaftOf } from "../shaft/geometry";
import { isGone, type Lift, type State } from "../world/model";
import { word } from "./texts";

export interface Said {
  text: string;
  /** Not normal, and of weight for a rescue. */
  bad?: boolean;
  unknown?: boolean;
}

/** "1.3 m": how far over or under a floor. */
export const metres = (mm: number): string => `${(Math.abs(mm) / 1000).toFixed(1)} m`;

function place(lift: Lift, state: State, lang: Lang): Said {
  const shaft = shaftOf(lift);
  const hung = hangs(state, shaft);
  const moving = state.car_status === 1;
  const floor = floorName(shaft, state.floor);
  if (moving) {
    const way = state.direction === 1 ? "up" : state.direction === 2 ? "down" : "moving";
    return { text: word(way, lang) + (floor === null ? "" : word("near", lang, { floor })) };
  }
  const stopped = state.car_status === 0;
  if (hung) {
    const values = { floor: hung.name, metres: metres(hung.overMm) };
    return { text: word(stopped ? (hung.overMm > 0 ? "stoppedAbove" : "stoppedBelow") : hung.overMm > 0 ? "above" : "below", lang, values), bad: stopped };
  }
  if (floor === null) return { text: word("whereUnknown", lang), unknown: true };
  if (state.door_zone === false) return { text: word(stopped ? "stoppedBetween" : "between", lang, { floor }), bad: stopped };
  return { text: word(stopped ? "stoppedAt" : "at", lang, { floor }) };
}

function flag(value: boolean | null, yes: Said, no: Said, unknown: string): Said {
  return value === null ? { text: unknown, unknown: true } : value ? yes : no;
}

const doors = (state: State, lang: Lang): Said => {
  const known = state.doors.filter((door) => door !== 0);
  if (known.length === 0) return { text: word("doorsUnknown", lang), unknown: true };
  return { text: word("doors", lang, { state: known.map((door) => ENUMS.door[String(door) as "1"]?.[lang] ?? "?").join(" / ") }) };
};

/** The sentence of a lift that is heard now; empty where it is not. */
export function liftSays(lift: Lift, lang: Lang): Said[] {
  if (isGone(lift)) return [];
  const { state } = lift;
  const mode = state.service_mode;
  const out: Said[] = [
    place(lift, state, lang),
    doors(state, lang),
    flag(state.mains, { text: word("mainsOn", lang) }, { text: word("mainsOff", lang), bad: true }, word("mainsUnknown", lang)),
    flag(state.passenger, { text: word("inside", lang), bad: true }, { text: word("nobody", lang) }, word("insideUnknown", lang)),
  ];
  if (state.button) out.push({ text: word("pressed", lang), bad: true });
  if (state.safety_circuit === false) out.push({ text: word("safetyOpen", lang), bad: true });
  if (mode !== null && mode !== 1 && mode !== 7) out.push({ text: ENUMS.service_mode[String(mode) as "0"][lang] });
  if (state.alarm_shown) out.push({ text: word("shows", lang, { what: ENUMS.alarm_shown[String(state.alarm_shown) as "1"][lang] }) });
  return out;
}

/** Why nothing is said, and since when. */
export function whySilent(lift: Lift | undefined, lang: Lang): string | null {
  if (!lift) return word("noLift", lang);
  if (!isGone(lift)) return null;
  const since = lift.link_age_ms === null ? null : serverTime(lift.seenAt) - lift.link_age_ms;
  const quality = word(`quality_${lift.quality as "stale"}`, lang);
  return since === null ? quality : word("silentSince", lang, { quality, time: clock(since, lang) });
}
