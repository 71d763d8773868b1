// What the page knows of lifts and incidents, and what follows from it. No drawing, no connection.
import type { Case } from "../api/case";
import type { Incident as ApiIncident, Lift as ApiLift, Member, State } from "../generated/api";
import { FAULTS } from "../generated/contract";

export type { Case } from "../api/case";
export type { Delivery, Explanation, FaultWord, Member, Stages, State } from "../generated/api";
export type TriageClass = Member["class"];
export type Quality = ApiLift["quality"];

/** A lift, and when the browser got this state of it (`performance.now()`): its ages go on growing here. */
export interface Lift extends ApiLift {
  seenAt: number;
}

export interface Incident extends Omit<ApiIncident, "opened_at_ms" | "last_known"> {
  opened_at_ms: number;
  last_known: Partial<State>;
}

export interface Silent {
  gateway: string;
  silent_ms: number;
  lifts_at_risk: string[];
}

export type Trouble = "trapped" | "fault" | "gone" | "work" | "none";
export const TROUBLES: readonly Trouble[] = ["trapped", "fault", "gone", "work", "none"];

export type FaultName = keyof typeof FAULTS;
export const SEVERE = 4;
export const severityOf = (fault: string): number => FAULTS[fault as FaultName]?.severity ?? 0;

/** What is withheld alarms nobody, and neither does the work that withholds it. Worst first. */
export const alarming = (state: State): string[] =>
  state.faults
    .filter((name) => name !== "work_mode" && !state.withheld.includes(name))
    .sort((a, b) => severityOf(b) - severityOf(a));

export const isGone = (lift: Lift): boolean => lift.quality === "stale" || lift.quality === "offline" || lift.quality === "unknown";

/** What kind of trouble a lift is in. `isTrapped`: an incident or case says so, which stands also when the lift is not heard any more. */
export function troubleOf(lift: Lift, isTrapped: boolean): Trouble {
  if (isTrapped) return "trapped";
  if (isGone(lift)) return "gone";
  const faults = alarming(lift.state);
  if (faults.some((name) => severityOf(name) === SEVERE)) return "trapped";
  if (faults.length > 0 || lift.quality === "bus_silent") return "fault";
  if (lift.state.work_mode) return "work";
  return lift.state.service_mode !== null && ![1, 7].includes(lift.state.service_mode) ? "work" : "none";
}

export const isAlive = (incident: Incident): boolean => incident.phase !== "closed";
export const isOpen = (found: Case): boolean => found.closed_at_ms === null;

/** What stands for itself: an incident of an area event is listed there, unless it is open and that event is not known here. */
export const unfolded = (incidents: ReadonlyMap<string, Incident>): Incident[] =>
  [...incidents.values()].filter((incident) => !incident.area || (isAlive(incident) && !incidents.has(incident.area)));

/** As they are to be looked at: open ones first, the worst first, then the newest. */
export const inOrder = (incidents: Incident[]): Incident[] =>
  [...incidents].sort(
    (a, b) => Number(isAlive(b)) - Number(isAlive(a)) || b.severity - a.severity || b.opened_at_ms - a.opened_at_ms,
  );

/** Of what nothing is known. */
export const NO_STATE: State = {
  service_mode: null, car_status: null, direction: null, door_zone: null, floor: null, doors: [], passenger: null, speed_mm_s: null,
  position_mm: null, load_permille: null, safety_circuit: null, door_lock: null, mains: null, button: null, light_curtain: null,
  overload: null, controller_link: null, controller_fault: null, run_hours: null, starts: null, door_cycles: null, battery_low: null,
  work_mode: null, alarm_shown: null, faults: [], withheld: [],
};

// Of a lift whose record does not say; the gateway's own default.
const PITCH_MM = 2900;

/** From the stream, which leaves out what an older gateway does not know. */
export function liftOf(told: ApiLift, seenAt: number): Lift {
  const last = told.last_known;
  return {
    ...told,
    near_misses: told.near_misses ?? {},
    suppressed: told.suppressed ?? {},
    latitude_deg: told.latitude_deg ?? null,
    longitude_deg: told.longitude_deg ?? null,
    floor_pitch_mm: told.floor_pitch_mm ?? PITCH_MM,
    floor_levels_mm: told.floor_levels_mm ?? [],
    floor_names: told.floor_names ?? [],
    state: { ...NO_STATE, ...told.state },
    last_known: last ? { ...last, state: { ...NO_STATE, ...last.state } } : null,
    seenAt,
  };
}

/** What is otherwise with a lift than before; of its state field by field. */
export type LiftPatch = Partial<Omit<ApiLift, "state">> & { id: string; state?: Partial<State> };

/** The lift with the patch in it; nothing where the lift is not known, which a snapshot will tell. */
export function patched(lift: Lift | undefined, patch: LiftPatch, seenAt: number): Lift[] {
  return lift ? [{ ...lift, ...patch, state: patch.state ? { ...lift.state, ...patch.state } : lift.state, seenAt }] : [];
}

export const incidentOf = (told: ApiIncident): Incident => ({
  ...told,
  opened_at_ms: told.opened_at_ms ?? told.stages.received,
  last_known: told.last_known as Partial<State>,
  members: told.members ?? [],
  area: told.area ?? null,
  withheld: told.withheld ?? "",
});
