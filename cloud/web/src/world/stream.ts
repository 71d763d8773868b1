// Keeps the world up to date: the stream, and what is read from the lists when it begins.
import { call, signIn } from "../api/client";
import { Events, SILENT_MS, type Message } from "../api/events";
import { heardClock, onTick, onWake } from "../app/time";
import type { Incident as ApiIncident, Lift as ApiLift } from "../generated/api";
import { incidentOf, isAlive, isOpen, liftOf, patched, type Case, type Incident, type LiftPatch, type Silent } from "./model";
import { world } from "./store";

interface Told {
  lifts: ApiLift[];
  silent_gateways: Silent[];
  t_ms: number;
}

async function readIncidents(query: string): Promise<Incident[]> {
  const found = (await call<ApiIncident[]>(`/api/v1/incidents?${query}`)).map(incidentOf);
  world.addIncidents(found);
  return found;
}

const OPEN_INCIDENTS = 500;
const OPEN_CASES = 200;

/** Members are asked for by their area: a thousand of them would leave no room in a list for the area itself. */
async function loadIncidents(): Promise<void> {
  const before = [...world.incidents.values()].filter((one) => isAlive(one) && !one.area).map((one) => one.id);
  const found = await Promise.all([readIncidents(`phase=open&folded=false&limit=${OPEN_INCIDENTS}`), readIncidents("folded=false&limit=100")]);
  if (found[0].length < OPEN_INCIDENTS) world.forgetIncidents(missing(before, found[0]));
  const areas = new Set(found.flat().filter((incident) => incident.members.length > 0 && isAlive(incident)));
  for (const area of areas) await readIncidents(`area=${encodeURIComponent(area.id)}&limit=500`);
}

/** What was open before the list was asked for, and is not in it: it ended while nobody listened. */
function missing(before: readonly string[], found: readonly { id: string }[]): string[] {
  const listed = new Set(found.map((one) => one.id));
  return before.filter((id) => !listed.has(id));
}

async function loadCases(): Promise<void> {
  const before = [...world.cases.values()].filter(isOpen).map((one) => one.id);
  const found = await call<Case[]>(`/api/v1/cases?phase=open&limit=${OPEN_CASES}`);
  world.addCases(found);
  if (found.length < OPEN_CASES) world.forgetCases(missing(before, found));
}

const quietly = (work: Promise<void>) => void work.catch(() => undefined); // the stream tells of a lost server, and begins anew

function take({ event, data }: Message): void {
  const now = performance.now();
  const body = JSON.parse(data) as unknown;
  if (event === "snapshot") {
    const told = body as Told;
    heardClock(told.t_ms);
    world.snapshot(told.lifts.map((lift) => liftOf(lift, now)), told.silent_gateways);
    quietly(loadIncidents());
    quietly(loadCases());
  } else if (event === "lifts") {
    world.changed((body as Told).lifts.map((lift) => liftOf(lift, now)));
  } else if (event === "changes") {
    world.changed((body as { lifts: LiftPatch[] }).lifts.flatMap((patch) => patched(world.lifts.get(patch.id), patch, now)));
  } else if (event === "silent") world.setSilent((body as Told).silent_gateways);
  else if (event === "incident") world.addIncidents([incidentOf(body as ApiIncident)]);
  else if (event === "case") world.addCases([body as Case]);
  else if (event === "heartbeat") heardClock((body as { t_ms: number }).t_ms);
  else if (event === "access") world.clear();
  else if (event === "reset") {
    quietly(loadIncidents());
    quietly(loadCases());
  } else if (event === "ended") signIn();
  world.heard(now);
}

async function refused(status: number): Promise<void> {
  world.lost();
  if (status === 401) signIn();
  // Nothing is shown here to who may see no lift; his account says so, and leads to what he may see.
  else if (status === 403) location.assign("/account");
}

/** Keeps `world` up to date for ever. Returns how to stop. */
export function watch(): () => void {
  const events = new Events("/api/v1/live", { message: take, refused: (status) => void refused(status) });
  void events.run();
  const again = () => {
    world.lost();
    events.again();
  };
  const stops = [onWake(again), onTick(() => performance.now() - world.link.heardAt > SILENT_MS && world.lost())];
  addEventListener("online", again);
  return () => {
    for (const stop of stops) stop();
    removeEventListener("online", again);
    events.stop();
  };
}
