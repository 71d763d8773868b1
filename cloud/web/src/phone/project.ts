// A case as it will be when the server has heard what the phone has said. Values in, values out.
import type { Case, Leg } from "../api/case";
import type { Item } from "./kept";

const STATES: Record<string, Leg["state"]> = {
  accept: "accepted", on_the_way: "on_the_way", arrived: "arrived", released: "released", mended: "released", no_rescue: "released", refuse: "refused",
};
const UNDER_WAY: readonly Leg["state"][] = ["ordered", "accepted", "on_the_way", "arrived"];
const MINUTE_MS = 60_000;

export function projected(one: Case, items: readonly Item[]): Case {
  const waiting = items.filter((item) => item.case === one.id && item.kind === "step" && !item.refused);
  return waiting.reduce(after, one);
}

function after(one: Case, { step, args, atMs }: Item): Case {
  const state = STATES[step];
  const legs = state === undefined ? one.legs : one.legs.map((leg) => (leg.level === args.level ? { ...leg, state, ...timesOf(step, args, atMs) } : leg));
  const next = { ...one, legs };
  if (step === "released" || step === "mended" || step === "no_rescue") return { ...next, phase: "follow_up", released_at_ms: atMs, outcome: (args.outcome as Case["outcome"]) ?? null };
  if (step === "persons") return { ...next, persons: { count: (args.count as number | null) ?? null, injured: (args.injured as number | null) ?? null, checked_at_ms: atMs } };
  if (step === "cause") return { ...next, cause: String(args.cause) };
  if (step === "close") return { ...next, phase: "closed", closed_at_ms: atMs };
  return next;
}

function timesOf(step: string, args: Item["args"], atMs: number): Partial<Leg> {
  if (step === "on_the_way") return { on_the_way_at_ms: atMs, eta_ms: typeof args.eta_min === "number" ? atMs + args.eta_min * MINUTE_MS : null };
  if (step === "arrived") return { arrived_at_ms: atMs, eta_ms: null };
  return step === "accept" ? { answered_at_ms: atMs } : {};
}

/** The level that these organisations were sent to: the one under way, else the one that was. */
export function ownLeg(one: Case, organisations: readonly string[]): Leg | null {
  const own = one.legs.filter((leg) => leg.organisation_id && organisations.includes(leg.organisation_id));
  return own.find(isUnderWay) ?? own.find((leg) => leg.state !== "standby") ?? null;
}

export const isUnderWay = (leg: Leg): boolean => UNDER_WAY.includes(leg.state);

/** What calls for him first, then who waits longest. */
export function inOrder(cases: readonly Case[], organisations: readonly string[]): Case[] {
  const rank = (one: Case): number => {
    const leg = ownLeg(one, organisations);
    if (one.phase !== "open") return 3;
    if (!leg || !isUnderWay(leg)) return 2;
    return one.kind === "trapped" ? 0 : 1;
  };
  return cases.filter((one) => one.phase !== "closed").sort((a, b) => rank(a) - rank(b) || a.opened_at_ms - b.opened_at_ms);
}
