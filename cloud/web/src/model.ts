// Shapes of the API that the page reads, and the live connection. No drawing here.
export interface State {
  service_mode: number | null;
  car_status: number | null;
  direction: number | null;
  door_zone: boolean | null;
  floor: number | null;
  doors: number[];
  passenger: boolean | null;
  speed_mm_s: number | null;
  position_mm: number | null;
  mains: boolean | null;
  work_mode: number | null;
  faults: string[];
  withheld?: string[];
}

/** What the controller says of itself, in words where a table names it. */
export interface FaultWord {
  word: number;
  known: boolean;
  code: number | null;
  cause: { zh: string; en: string };
  remedy: { zh: string; en: string };
}

export interface Lift {
  id: string;
  name: string;
  address: string;
  rescue_code: string;
  stops: number;
  doors: number;
  quality: "good" | "stale" | "bus_silent" | "offline" | "unknown";
  age_ms: number | null;
  link_age_ms: number | null;
  since_ms: number | null;
  state: State;
  controller_fault: FaultWord | null;
  near_misses?: Record<string, number>;
  suppressed?: Record<string, number>;
  last_known: { state: State; at_ms: number | null } | null;
  seenAt: number; // performance.now() when this arrived: ages go on growing here
}

export interface Stages {
  onset: number | null;
  detected: number | null;
  published: number | null;
  received: number;
  committed: number;
}

export interface Delivery {
  destination: string;
  rev: number;
  phase: string;
  sent: number | null;
  receipted: number | null;
  attempts: number;
  state?: string | null;
}

/** One condition of the fault table in words. */
export interface Condition {
  condition: string;
  zh: string;
  en: string;
  since_ms?: number | null;
}

export interface Explanation {
  cause: { zh: string; en: string } | null;
  held: Condition[];
  clears: Condition[][];
  clear_ms: number | null;
}

export type TriageClass = "alarm" | "occupied" | "unknown" | "moving" | "empty" | "ended";

/** One lift of an area event, as known when its revision was told. */
export interface Member {
  lift: string;
  site: string;
  incident: string;
  incidents: string[];
  class: TriageClass;
  reason: string;
  since_ms: number;
  ended_ms: number | null;
  passenger: boolean | null;
  passenger_at_ms: number | null;
  floor: number | null;
  in_zone: boolean | null;
  car_at_ms: number | null;
  live: boolean;
}

export interface Incident {
  id: string;
  rev: number;
  version: number;
  lift: string;
  kind: string;
  code: number | null;
  severity: number;
  phase: "open" | "updated" | "closed";
  withheld?: "" | "work" | "filter";
  explanation: Explanation;
  opened_at_ms: number;
  closed_at_ms: number | null;
  stages: Stages;
  deliveries: Delivery[];
  offset_err_ms: number | null;
  controller_fault: FaultWord | null;
  area: string | null; // the area event that it is a member of
  members: Member[];
  snapshot: Record<string, unknown>;
  last_known: Partial<State>;
  last_known_at_ms: number | null;
}

export interface Silent {
  gateway: string;
  silent_ms: number;
  lifts_at_risk: string[];
}

export interface World {
  lifts: ReadonlyMap<string, Lift>;
  incidents: ReadonlyMap<string, Incident>;
  silent: Silent[];
  heardAt: number;
}

export const EMPTY: World = { lifts: new Map(), incidents: new Map(), silent: [], heardAt: 0 };

/** What stands for itself: an incident of an area event is listed there, unless it is open and that event is not known here. */
export const unfolded = (incidents: ReadonlyMap<string, Incident>): Incident[] =>
  [...incidents.values()].filter(
    (incident) => !incident.area || (incident.phase !== "closed" && !incidents.has(incident.area)),
  );

const KEPT_INCIDENTS = 200;
const SILENT_MS = 12_000;

/** The session has ended: sign in, and come back to the same view. */
function signIn(): void {
  location.assign(`/sign-in?${new URLSearchParams({ next: location.pathname + location.search }).toString()}`);
}

/** Keeps `world` up to date for ever; `show` is called with each new one. Returns how to stop. */
export function watch(show: (world: World) => void): () => void {
  let world = EMPTY;
  let source: EventSource | null = null;
  const set = (change: Partial<World>) => {
    world = { ...world, ...change, heardAt: performance.now() };
    show(world);
  };
  const withIncidents = (found: Incident[]) => {
    const incidents = new Map(world.incidents);
    for (const incident of found) {
      const held = incidents.get(incident.id);
      if (!held || held.version <= incident.version) incidents.set(incident.id, incident);
    }
    const old = [...incidents.values()].sort((a, b) => b.opened_at_ms - a.opened_at_ms).slice(KEPT_INCIDENTS);
    for (const incident of old) if (incident.phase === "closed") incidents.delete(incident.id);
    return incidents;
  };
  const stamp = (lift: Lift): Lift => ({ ...lift, seenAt: performance.now() });
  const load = async () => {
    const read = async (query: string) => {
      const answer = await fetch(`/api/v1/incidents?${query}`);
      if (answer.status === 401) signIn();
      const found = answer.ok ? ((await answer.json()) as Incident[]) : [];
      if (answer.ok) set({ incidents: withIncidents(found) });
      return found;
    };
    // Members are asked for by their area: a thousand of them would leave no room in a list for the area itself.
    const found = await Promise.all([read("phase=open&folded=false&limit=500"), read("folded=false&limit=100")]);
    const areas = new Set(found.flat().filter((incident) => incident.members.length > 0 && incident.phase !== "closed"));
    for (const area of areas) await read(`area=${encodeURIComponent(area.id)}&limit=500`);
  };
  const open = () => {
    source?.close();
    source = new EventSource("/api/v1/live");
    source.addEventListener("snapshot", (event) => {
      const found = JSON.parse((event as MessageEvent<string>).data) as { lifts: Lift[]; silent_gateways: Silent[] };
      set({ lifts: new Map(found.lifts.map((lift) => [lift.id, stamp(lift)])), silent: found.silent_gateways });
      void load().catch(() => undefined);
    });
    source.addEventListener("lifts", (event) => {
      const found = JSON.parse((event as MessageEvent<string>).data) as { lifts: Lift[]; silent_gateways: Silent[] };
      const lifts = new Map(world.lifts);
      for (const lift of found.lifts) lifts.set(lift.id, stamp(lift));
      set({ lifts, silent: found.silent_gateways });
    });
    source.addEventListener("incident", (event) => {
      set({ incidents: withIncidents([JSON.parse((event as MessageEvent<string>).data) as Incident]) });
    });
    source.addEventListener("heartbeat", () => set({}));
    // Other lifts than before: what was shown is void, a snapshot follows.
    source.addEventListener("access", () => set({ lifts: new Map(), incidents: new Map(), silent: [] }));
    source.addEventListener("ended", signIn);
    // A stream that is refused tells no status: ask for it.
    source.addEventListener("error", () => {
      void fetch("/api/v1/me")
        .then(async (answer) => {
          if (answer.status === 401) signIn();
          if (!answer.ok) return;
          const me = (await answer.json()) as { permissions: string[] };
          // Nothing is shown here to who may see no lift; his account says so, and leads to what he may see.
          if (!me.permissions.includes("lifts.read")) location.assign("/account");
        })
        .catch(() => undefined);
    });
  };
  open();
  // A connection that hangs gives no error: silence decides, and the browser's own retry is not enough.
  const guard = setInterval(() => {
    if (performance.now() - world.heardAt > SILENT_MS) open();
  }, SILENT_MS / 2);
  return () => {
    clearInterval(guard);
    source?.close();
  };
}
