// What the phone shows: the world while there is a line, else what was kept of it, with its age.
import { useEffect, useState } from "react";
import type { Case } from "../api/case";
import type { Lang } from "../app/language";
import { useMe } from "../app/me";
import { word } from "../cases/texts";
import { severityOf, type Incident } from "../world/model";
import { useCases, useConnection, useIncidents, world } from "../world/store";
import { faultTitle } from "../world/words";
import { dropKept, putKept, readKept, type Kept, type KeptLift } from "./kept";
import { outbox } from "./outbox";

const SAVE_MS = 1000;
// The stream is heard before the list is read: "none" is believed only after a while.
const NONE_MS = 10_000;
const KEPT_CASES = 50;

export interface Here {
  organisations: string[];
  cases: Case[];
  /** When it was so, by the phone's clock; null while it is live. */
  keptAtMs: number | null;
}

const liftOf = (id: string): KeptLift[] => {
  const lift = world.lifts.get(id);
  if (!lift) return [];
  const { name, site, address, latitude_deg, longitude_deg } = lift;
  return [{ id, name, site, address, at: latitude_deg === null || longitude_deg === null ? null : [latitude_deg, longitude_deg] }];
};

/** Who telephoned is nothing to keep on a phone. */
const bare = (one: Case): Case => ({ ...one, caller: null, timeline: [] });

function keptOf(person: string, organisations: string[], cases: Case[], incidents: ReadonlyMap<string, Incident>): Kept {
  const open = cases.filter((one) => one.phase !== "closed").slice(0, KEPT_CASES);
  return {
    person,
    organisations,
    atMs: Date.now(),
    cases: open.map(bare),
    lifts: open.flatMap((one) => liftOf(one.lift)),
    kinds: Object.fromEntries(open.flatMap((one) => one.incidents).flatMap((id) => (incidents.has(id) ? [[id, incidents.get(id)!.kind]] : []))),
  };
}

let kept: Kept | null = null;
let savedAt = -Infinity;
export const keptLift = (id: string): KeptLift | null => liftOf(id)[0] ?? kept?.lifts.find((lift) => lift.id === id) ?? null;
export const keptKind = (incident: string): string | null => world.incidents.get(incident)?.kind ?? kept?.kinds[incident] ?? null;

/** What it is called, also without a line. */
export function titleOf(one: Case, lang: Lang): string {
  const kinds = one.incidents.map(keptKind).filter((kind) => kind !== null);
  const worst = kinds.sort((a, b) => severityOf(b) - severityOf(a))[0];
  return worst && severityOf(worst) >= one.severity ? faultTitle(worst, lang) : word(`kind_${one.kind}`, lang);
}

/** Null until it is known who this is, which without a line is who used the phone last. */
export function useHere(): Here | null {
  const me = useMe();
  const cases = useCases();
  const incidents = useIncidents();
  const state = useConnection();
  const [found, setFound] = useState<Kept | null>(kept);
  useEffect(() => {
    void readKept()
      .then((last) => last && setFound((kept = kept ?? last)))
      .catch(() => undefined); // nothing is kept here
  }, []);
  const person = me?.id ?? found?.person ?? "";
  const organisations = me ? [...new Set(me.memberships.map((one) => one.organisation))] : (found?.organisations ?? []);
  const key = organisations.join();
  useEffect(() => {
    if (person) void outbox.begin(person).catch(() => undefined); // no database: said without a queue it would be lost, and `add` says so
  }, [person]);
  useEffect(() => {
    // Another one has signed in on this phone: what was kept is not his to see.
    if (!me || !found || found.person === me.id) return;
    kept = null;
    setFound(null);
    void dropKept().catch(() => undefined);
  }, [me, found]);
  useEffect(() => {
    if (!me || state !== "current") return;
    const isNone = cases.size === 0 && kept !== null;
    // At once, then each second at most: changes that come quickly must not put it off for ever.
    const timer = setTimeout(() => {
      kept = keptOf(me.id, key.split(",").filter(Boolean), [...cases.values()], incidents);
      savedAt = performance.now();
      setFound(kept);
      void putKept(kept).catch(() => undefined);
    }, isNone ? NONE_MS : Math.max(0, savedAt + SAVE_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [me, key, cases, incidents, state]);
  if (!person) return null;
  const isLive = state === "current" && me !== null;
  return { organisations, cases: cases.size > 0 || isLive ? [...cases.values()] : (found?.cases ?? []), keptAtMs: isLive ? null : (found?.atMs ?? null) };
}
