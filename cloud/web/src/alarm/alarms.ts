// What calls for somebody: cases by lift, and alarms that are no case yet. Values in, values out.
import { inOrder, isAlive, isOpen, SEVERE, unfolded, type Case, type Incident } from "../world/model";

export interface Alarm {
  lift: string;
  /** Open cases of the lift, the worst first. */
  cases: Case[];
  /** How often it was told. */
  repeats: number;
  severity: number;
  openedAt: number;
  isNew: boolean; // nobody has it
  isShelved: boolean;
}

// An open incident without a case sounds only while it is fresh: its case may be one that was closed before this page was opened.
const FRESH_MS = 600_000;

export const isNew = (one: Case): boolean => isOpen(one) && one.acknowledged === null && one.shelved === null && one.released_at_ms === null;

const worstFirst = (a: Case, b: Case): number =>
  Number(isNew(b)) - Number(isNew(a)) || b.severity - a.severity || a.opened_at_ms - b.opened_at_ms;

/** By lift; first what nobody has, then the worst, and among those who waits longest. What is shelved comes last. */
export function alarmsOf(cases: ReadonlyMap<string, Case>): Alarm[] {
  const byLift = new Map<string, Case[]>();
  for (const one of cases.values()) if (isOpen(one)) byLift.set(one.lift || one.id, [...(byLift.get(one.lift || one.id) ?? []), one]);
  const alarms = [...byLift.values()].map((found): Alarm => {
    const all = found.sort(worstFirst);
    return {
      lift: all[0]!.lift,
      cases: all,
      repeats: all.reduce((sum, one) => sum + Math.max(1, one.incidents.length), 0),
      severity: Math.max(...all.map((one) => one.severity)),
      openedAt: Math.min(...all.map((one) => one.opened_at_ms)),
      isNew: all.some(isNew),
      isShelved: all.every((one) => one.shelved !== null),
    };
  });
  return alarms.sort(
    (a, b) =>
      Number(a.isShelved) - Number(b.isShelved) || Number(b.isNew) - Number(a.isNew) || b.severity - a.severity || a.openedAt - b.openedAt,
  );
}

/** Incidents that no known case is about. */
export function withoutCase(incidents: readonly Incident[], cases: ReadonlyMap<string, Case>): Incident[] {
  const held = new Set([...cases.values()].flatMap((one) => one.incidents));
  return incidents.filter((incident) => !held.has(incident.id));
}

/** An area event with the cases that are of it and need no list of their own. */
export interface Area {
  incident: Incident;
  alarms: Alarm[];
}

export interface Listed {
  areas: Area[];
  alarms: Alarm[];
  /** Incidents that are no case and of no area, open and closed. */
  others: Incident[];
}

/** What stands in the list: a case of an area event stands under that, unless somebody is trapped by it: he is seen by himself. */
export function listed(cases: ReadonlyMap<string, Case>, incidents: ReadonlyMap<string, Incident>): Listed {
  const rest = inOrder(withoutCase(unfolded(incidents), cases));
  const areas = new Map<string, Area>();
  for (const one of rest) if (isAlive(one) && one.kind.startsWith("area_")) areas.set(one.id, { incident: one, alarms: [] });
  const alarms: Alarm[] = [];
  for (const alarm of alarmsOf(cases)) {
    const isFolded = alarm.cases.every((one) => one.kind !== "trapped" && one.areas.some((id) => areas.has(id)));
    const area = isFolded ? areas.get(alarm.cases[0]!.areas.find((id) => areas.has(id))!) : undefined;
    (area?.alarms ?? alarms).push(alarm);
  }
  return { areas: [...areas.values()], alarms, others: rest.filter((one) => !areas.has(one.id)) };
}

/** How many things call for somebody. */
export const countOf = ({ areas, alarms, others }: Listed): number =>
  areas.length + alarms.filter((one) => !one.isShelved).length + others.filter(isAlive).length;

/** The worst of what nobody has, 0 = nothing. */
export function soundingOf(cases: ReadonlyMap<string, Case>, incidents: ReadonlyMap<string, Incident>, nowMs: number): number {
  const fresh = withoutCase([...incidents.values()], cases).filter(
    (one) => isAlive(one) && one.severity === SEVERE && !one.withheld && one.members.length === 0 && nowMs - one.opened_at_ms < FRESH_MS,
  );
  return Math.max(0, ...[...cases.values()].filter(isNew).map((one) => one.severity), ...fresh.map((one) => one.severity));
}
