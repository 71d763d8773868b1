// Change records put on one axis of time. A value holds until the next record, and no longer than a node is silent by rule. No drawing.
import type { State } from "../generated/api";
import { FIELDS } from "../generated/contract";
import { NO_STATE } from "../world/model";

export type Value = number | boolean | null;
export type Point = [number, Value];
export type Series = Record<string, Point[]>;

/** A node writes all fields anew every 10 minutes: what is older says nothing of now (as in the gateway's log reader). */
export const HELD_MS = 660_000;

/** [times in s, a column for each name]; null where it is unknown or nothing was recorded for too long. */
export function aligned(series: Series, before: Record<string, Point>, names: readonly string[], fromMs: number, toMs: number, stepMs: number): [number[], ...(number | null)[][]] {
  const held = HELD_MS + 2 * stepMs;
  const all = names.map((name) => [...(before[name] ? [before[name]] : []), ...(series[name] ?? [])]);
  const times = new Set<number>([fromMs, toMs]);
  for (const points of all)
    points.forEach(([t], at) => {
      if (t >= fromMs && t <= toMs) times.add(t);
      const next = points[at + 1]?.[0] ?? Infinity;
      // Where a hole begins.
      if (next - t > held && t + held >= fromMs && t + held < toMs) times.add(t + held);
    });
  const axis = [...times].sort((a, b) => a - b);
  const columns = all.map((points) => {
    let at = -1;
    return axis.map((t) => {
      while (at + 1 < points.length && points[at + 1]![0] <= t) at += 1;
      const point = points[at];
      return !point || point[1] === null || t - point[0] >= held ? null : Number(point[1]);
    });
  });
  return [axis.map((t) => t / 1000), ...columns];
}

/** What held at `t`, by the records up to then. */
export function valueAt(points: readonly Point[] | undefined, t: number): Value {
  if (!points) return null;
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] <= t) low = middle + 1;
    else high = middle;
  }
  return points[low - 1]?.[1] ?? null;
}

/** The state of a lift as its records tell it at `t`. */
export function stateAt(series: Series, t: number): State {
  const number = (name: string): number | null => {
    const found = valueAt(series[name], t);
    return found === null ? null : Number(found);
  };
  const bool = (name: string): boolean | null => {
    const found = valueAt(series[name], t);
    return found === null ? null : Boolean(found);
  };
  const second = number("door_2");
  const first = number("door_1");
  const out: Record<string, unknown> = { ...NO_STATE, doors: first === null && second === null ? [] : second === null ? [first ?? 0] : [first ?? 0, second] };
  for (const name of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) if (name in NO_STATE) out[name] = FIELDS[name].kind === "bool" ? bool(name) : number(name);
  return out as unknown as State;
}

/** First and last time of any record; null where there is none. */
export function spanOf(series: Series): [number, number] | null {
  let [from, to] = [Infinity, -Infinity];
  for (const points of Object.values(series)) {
    if (points.length === 0) continue;
    from = Math.min(from, points[0]![0]);
    to = Math.max(to, points[points.length - 1]![0]);
  }
  return to < from ? null : [from, to];
}
