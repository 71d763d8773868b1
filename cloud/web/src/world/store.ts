// The world of one page: lifts, incidents, cases, the connection. Who draws one lift is told of that one alone.
import { useCallback, useSyncExternalStore } from "react";
import { alarming, isAlive, isGone, isOpen, SEVERE, severityOf, troubleOf, type Case, type Incident, type Lift, type Silent, type Trouble } from "./model";

export type Topic = "lifts" | "incidents" | "cases" | "silent" | "link";

/** What lists, counts and filters need of a lift; a new object only when something of it has changed. */
export interface Entry {
  id: string;
  name: string;
  site: string;
  address: string;
  rescue_code: string;
  trouble: Trouble;
  /** The worst fault that alarms, empty where there is none, and its severity. */
  fault: string;
  severity: number;
  quality: Lift["quality"];
  at: readonly [number, number] | null; // latitude, longitude
}

export interface Link {
  /** "current": heard within the last seconds; "lost": what is shown is old; "new": nothing was heard yet. */
  state: "new" | "current" | "lost";
  heardAt: number;
  refusals: number;
}

const KEPT_CLOSED = 200;

type Listener = () => void;

export class World {
  lifts: ReadonlyMap<string, Lift> = new Map();
  entries: readonly Entry[] = [];
  incidents: ReadonlyMap<string, Incident> = new Map();
  cases: ReadonlyMap<string, Case> = new Map();
  silent: readonly Silent[] = [];
  link: Link = { state: "new", heardAt: 0, refusals: 0 };

  private known = new Map<string, Entry>();
  private trapped: ReadonlyMap<string, string> = new Map();
  private topics = new Map<Topic, Set<Listener>>();
  private perLift = new Map<string, Set<Listener>>();

  // -- who is told ----------------------------------------------------------------------------------------------------

  on(topic: Topic, listener: Listener): Listener {
    const all = this.topics.get(topic) ?? new Set();
    this.topics.set(topic, all.add(listener));
    return () => void all.delete(listener);
  }

  onLift(id: string, listener: Listener): Listener {
    const all = this.perLift.get(id) ?? new Set();
    this.perLift.set(id, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0 && this.perLift.get(id) === all) this.perLift.delete(id);
    };
  }

  private tell(topic: Topic): void {
    for (const listener of this.topics.get(topic) ?? []) listener();
  }

  private tellLifts(ids: Iterable<string>): void {
    for (const id of ids) for (const listener of this.perLift.get(id) ?? []) listener();
  }

  // -- what is heard --------------------------------------------------------------------------------------------------

  heard(now: number): void {
    const was = this.link;
    this.link = { state: "current", heardAt: now, refusals: 0 };
    if (was.state !== "current") this.tell("link");
  }

  /** Nothing is heard any more: what is shown is old. */
  lost(): void {
    if (this.link.state === "lost") return;
    this.link = { ...this.link, state: this.link.state === "new" ? "new" : "lost", refusals: this.link.refusals + 1 };
    this.tell("link");
  }

  /** All lifts anew. */
  snapshot(lifts: Lift[], silent: Silent[]): void {
    const ids = new Set([...this.lifts.keys(), ...lifts.map((lift) => lift.id)]);
    this.lifts = new Map(lifts.map((lift) => [lift.id, lift]));
    this.known = new Map();
    this.classify(this.lifts.keys());
    this.setSilent(silent);
    this.tellLifts(ids);
  }

  changed(lifts: Lift[]): void {
    const all = this.lifts as Map<string, Lift>; // told by its listeners, not by its identity
    for (const lift of lifts) all.set(lift.id, lift);
    this.classify(lifts.map((lift) => lift.id));
    this.tellLifts(lifts.map((lift) => lift.id));
  }

  setSilent(silent: Silent[]): void {
    if (this.silent.length === 0 && silent.length === 0) return;
    this.silent = silent;
    this.tell("silent");
  }

  addIncidents(found: Incident[]): void {
    const all = new Map(this.incidents);
    for (const incident of found) {
      const held = all.get(incident.id);
      if (!held || held.version <= incident.version) all.set(incident.id, incident);
    }
    forgetOld(all, (one) => !isAlive(one));
    this.incidents = all;
    this.tell("incidents");
    this.findTrapped();
  }

  addCases(found: Case[]): void {
    const all = new Map(this.cases);
    for (const one of found) if ((all.get(one.id)?.rev ?? -1) <= one.rev) all.set(one.id, one);
    forgetOld(all, (one) => !isOpen(one));
    this.cases = all;
    this.tell("cases");
    this.findTrapped();
  }

  /** They have ended, and nobody has told how. */
  forgetIncidents(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.incidents = without(this.incidents, ids);
    this.tell("incidents");
    this.findTrapped();
  }

  forgetCases(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.cases = without(this.cases, ids);
    this.tell("cases");
    this.findTrapped();
  }

  /** Other lifts than before may be seen: what was shown is void. */
  clear(): void {
    this.incidents = new Map();
    this.cases = new Map();
    this.snapshot([], []);
    this.tell("incidents");
    this.tell("cases");
    this.findTrapped();
  }

  // -- what follows from it -------------------------------------------------------------------------------------------

  /** Lifts with somebody trapped by an open incident, or by a case out of which nobody was released yet; and by which fault. */
  private findTrapped(): void {
    const now = new Map<string, string>();
    for (const one of this.cases.values())
      if (isOpen(one) && one.kind === "trapped" && one.released_at_ms === null) now.set(one.lift, "");
    for (const one of this.incidents.values())
      if (isAlive(one) && one.severity === SEVERE && !one.withheld && one.members.length === 0) now.set(one.lift, one.kind);
    const other = [...new Set([...now.keys(), ...this.trapped.keys()])].filter((id) => now.get(id) !== this.trapped.get(id));
    this.trapped = now;
    if (other.length === 0) return;
    this.classify(other);
    this.tellLifts(other);
  }

  private classify(ids: Iterable<string>): void {
    let isOther = this.entries.length !== this.lifts.size; // some have gone, also where none is left
    for (const id of ids) {
      const lift = this.lifts.get(id);
      if (!lift) continue;
      const held = this.known.get(id);
      const trouble = troubleOf(lift, this.trapped.has(id));
      const at = placeOf(lift);
      const fault = (isGone(lift) ? undefined : alarming(lift.state)[0]) ?? this.trapped.get(id) ?? "";
      if (
        held && held.trouble === trouble && held.fault === fault && held.quality === lift.quality && held.name === lift.name && held.site === lift.site &&
        held.address === lift.address && held.rescue_code === lift.rescue_code && held.at?.[0] === at?.[0] && held.at?.[1] === at?.[1]
      )
        continue;
      const { name, site, address, rescue_code, quality } = lift;
      this.known.set(id, { id, name, site, address, rescue_code, trouble, fault, severity: severityOf(fault), quality, at });
      isOther = true;
    }
    if (!isOther) return;
    this.entries = [...this.known.values()].sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }));
    this.tell("lifts");
  }

  /** The fault of an open incident by which somebody is trapped there; empty where only a case says so, null where nobody is. */
  trappedBy(id: string): string | null {
    return this.trapped.get(id) ?? null;
  }

  troubleOf(id: string): Trouble {
    return this.known.get(id)?.trouble ?? "gone";
  }
}

const placeOf = ({ latitude_deg, longitude_deg }: Lift): Entry["at"] =>
  latitude_deg === null || longitude_deg === null ? null : [latitude_deg, longitude_deg];

const without = <T>(all: ReadonlyMap<string, T>, ids: readonly string[]): Map<string, T> => {
  const out = new Map(all);
  for (const id of ids) out.delete(id);
  return out;
};

/** Of what is over, only the newest stay. */
function forgetOld<T extends { id: string; opened_at_ms: number }>(all: Map<string, T>, isOver: (one: T) => boolean): void {
  const over = [...all.values()].filter(isOver).sort((a, b) => b.opened_at_ms - a.opened_at_ms);
  for (const one of over.slice(KEPT_CLOSED)) all.delete(one.id);
}

export const world = new World();

function useTopic<T>(topic: Topic, read: () => T): T {
  return useSyncExternalStore(useCallback((listener) => world.on(topic, listener), [topic]), read);
}

/** One lift; drawn anew only when it has changed itself. */
export function useLift(id: string): Lift | undefined {
  return useSyncExternalStore(
    useCallback((listener) => world.onLift(id, listener), [id]),
    useCallback(() => world.lifts.get(id), [id]),
  );
}

/** Its kind of trouble, likewise. */
export function useTrouble(id: string): Trouble {
  return useSyncExternalStore(
    useCallback((listener) => world.onLift(id, listener), [id]),
    useCallback(() => world.troubleOf(id), [id]),
  );
}

export const useEntries = (): readonly Entry[] => useTopic("lifts", () => world.entries);
export const useIncidents = (): ReadonlyMap<string, Incident> => useTopic("incidents", () => world.incidents);
export const useCases = (): ReadonlyMap<string, Case> => useTopic("cases", () => world.cases);
export const useSilent = (): readonly Silent[] => useTopic("silent", () => world.silent);
export const useConnection = (): Link["state"] => useTopic("link", () => world.link.state);
