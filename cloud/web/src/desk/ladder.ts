// One level's clock: which one runs, since when, and whether it ran out. Values in, values out.
import type { Case, Leg } from "../api/case";

export interface LegClock {
  name: "answer" | "arrive" | "free" | "call";
  fromMs: number;
  dueMs: number;
}

/** The clock that is next to run out for this level; null where none runs. */
export function clockOf(leg: Leg): LegClock | null {
  const from = leg.ordered_at_ms ?? 0;
  const found: LegClock[] = [];
  if (leg.call_due_ms !== null && leg.state === "ordered") found.push({ name: "call", fromMs: from, dueMs: leg.call_due_ms });
  if (leg.state === "ordered" && leg.answer_due_ms !== null) found.push({ name: "answer", fromMs: from, dueMs: leg.answer_due_ms });
  if ((leg.state === "accepted" || leg.state === "on_the_way") && leg.arrive_due_ms !== null) found.push({ name: "arrive", fromMs: from, dueMs: leg.arrive_due_ms });
  if (leg.state === "arrived" && leg.free_due_ms !== null) found.push({ name: "free", fromMs: leg.arrived_at_ms ?? from, dueMs: leg.free_due_ms });
  return found[0] ?? null;
}

/** How often somebody was reminded to make the telephone call for this level. */
export const remindersOf = (one: Case, leg: Leg): number =>
  one.timeline.filter((entry) => entry.step === "call_reminded" && entry.detail.level === leg.level && entry.at_ms >= (leg.ordered_at_ms ?? 0)).length;

/** The level that is called by itself when this one does not come; null where there is none. */
export function nextLevel(one: Case, leg: Leg): number | null {
  if (one.kind !== "trapped" || one.phase !== "open") return null;
  const above = one.legs.filter((other) => other.level > leg.level);
  if (above.some((other) => ["ordered", "accepted", "on_the_way", "arrived"].includes(other.state))) return null;
  return above.find((other) => other.state !== "refused")?.level ?? null;
}

/** 0…1 of the clock's time that is gone. */
export const gone = (clock: LegClock, now: number): number => Math.max(0, Math.min(1, (now - clock.fromMs) / Math.max(1, clock.dueMs - clock.fromMs)));
