// The order of the desk's queue, its counts, and what is looked for in it. Values in, values out.
import type { Case, Leg } from "../api/case";
import { codeIn } from "../cases/codes";
import { isOpen } from "../world/model";

/** 0 trapped and nobody has it, 1 trapped, 2 others, 3 put aside, 4 nothing left to do on site. */
export function rankOf(one: Case): number {
  if (one.phase !== "open") return 4;
  if (one.kind === "trapped") return one.acknowledged ? 1 : 0;
  return one.shelved ? 3 : 2;
}

export const inQueue = (cases: Iterable<Case>): Case[] =>
  [...cases].filter(isOpen).sort((a, b) => rankOf(a) - rankOf(b) || a.opened_at_ms - b.opened_at_ms || a.number - b.number);

export const closedLately = (cases: Iterable<Case>): Case[] =>
  [...cases].filter((one) => !isOpen(one)).sort((a, b) => b.closed_at_ms! - a.closed_at_ms!);

export interface Counts {
  unacknowledged: number;
  working: number;
  following: number;
}

export const countsOf = (queue: readonly Case[]): Counts => ({
  unacknowledged: queue.filter((one) => one.phase === "open" && !one.acknowledged && !one.shelved).length,
  working: queue.filter((one) => one.phase === "open" && one.acknowledged).length,
  following: queue.filter((one) => one.phase !== "open").length,
});

export interface Filter {
  text: string;
  kind: string;
  district: string;
}

/** `named`: what else is known of the case's lift: name, address, site. */
export function fits(one: Case, filter: Filter, named: string): boolean {
  if (filter.kind && one.kind !== filter.kind) return false;
  if (filter.district && one.district !== filter.district) return false;
  const text = filter.text.trim().toLowerCase();
  if (!text) return true;
  const code = codeIn(text);
  if (code) return one.rescue_code === code;
  return [named, one.place, one.lift, one.lift_name, one.gateway, one.rescue_code, String(one.number)].join(" ").toLowerCase().includes(text);
}

const FARTHEST: readonly Leg["state"][] = ["arrived", "on_the_way", "accepted", "ordered"];

/** Who is nearest to being there. Of two that are as far, the lower level. */
export function nearest(one: Case): Leg | null {
  for (const state of FARTHEST) {
    const found = one.legs.find((leg) => leg.state === state);
    if (found) return found;
  }
  return null;
}

/** The highest level that was called, 0 = none. */
export const levelOf = (one: Case): number => Math.max(0, ...one.legs.filter((leg) => leg.state !== "standby").map((leg) => leg.level));

/** How often it was told. */
export const repeatsOf = (one: Case): number => one.incidents.length + one.timeline.filter((entry) => entry.step === "pressed_again").length;
