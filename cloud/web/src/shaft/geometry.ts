// Where a car is in its shaft, to scale. Millimetres over the lowest stop; no drawing.
import type { Lift, State } from "../world/model";

export interface Shaft {
  /** Heights of the stops over the lowest, the lowest first. */
  levels: readonly number[];
  /** What the car's panel calls them. */
  names: readonly string[];
  /** Height of one car, which is also what is drawn over the highest stop. */
  carMm: number;
  topMm: number;
}

// Of a car of ordinary height; only how it is drawn hangs on it.
const CAR_MM = 2300;
// A car so near to a stop is told to be at it, as by the door zone. Ours.
const AT_STOP_MM = 30;

// Lifts of one kind share their shaft, and each state brings its record again: what was drawn of it stays.
const made = new Map<string, Shaft>();
const MAX_MADE = 4000;

export type ShaftRecord = Pick<Lift, "stops" | "floor_levels_mm" | "floor_pitch_mm" | "floor_names">;

/** The shaft of a record; the same object for the same figures. */
export function shaftOf(lift: ShaftRecord): Shaft {
  const key = `${lift.stops}|${lift.floor_pitch_mm}|${lift.floor_levels_mm.join()}|${lift.floor_names.join()}`;
  let found = made.get(key);
  if (!found) {
    if (made.size >= MAX_MADE) made.clear();
    made.set(key, (found = build(lift)));
  }
  return found;
}

function build({ stops, floor_levels_mm, floor_pitch_mm, floor_names }: ShaftRecord): Shaft {
  const levels = floor_levels_mm.length === stops ? floor_levels_mm : Array.from({ length: stops }, (_, at) => at * floor_pitch_mm);
  const names = Array.from({ length: stops }, (_, at) => floor_names[at] ?? String(at + 1));
  const gaps = levels.slice(1).map((level, at) => level - levels[at]!);
  const carMm = Math.max(500, Math.min(CAR_MM, ...gaps.map((gap) => gap * 0.86)));
  return { levels, names, carMm, topMm: (levels[stops - 1] ?? 0) + carMm * 1.15 };
}

export const floorName = (shaft: Shaft, floor: number | null): string | null =>
  floor === null ? null : (shaft.names[floor - 1] ?? String(floor));

/** The sill of the car, null where nothing tells it: the position where there is one, else the stop. */
export function heightOf(state: State, shaft: Shaft): number | null {
  const level = state.floor === null ? null : (shaft.levels[state.floor - 1] ?? null);
  if (state.position_mm === null || (state.door_zone && level !== null)) return level;
  return Math.max(-shaft.carMm / 2, Math.min(shaft.topMm, state.position_mm));
}

/** How far over which stop the car hangs; null where it stands at one, or where its position is not known. */
export function hangs(state: State, shaft: Shaft): { name: string; overMm: number } | null {
  if (state.position_mm === null || state.door_zone !== false) return null;
  let at = 0;
  while (at + 1 < shaft.levels.length && shaft.levels[at + 1]! <= state.position_mm) at += 1;
  const overMm = state.position_mm - shaft.levels[at]!;
  return Math.abs(overMm) < AT_STOP_MM ? null : { name: shaft.names[at]!, overMm };
}

/** A way is free between the leaves: 0 shut … 1 open; null where it is not known. */
export function opening(door: number | undefined): number | null {
  if (door === 2 || door === 5) return 0;
  if (door === 4) return 1;
  if (door === 1 || door === 3) return 0.5;
  return door === 6 ? 0.3 : null;
}
