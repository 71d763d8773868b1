// A plain map of points: metres on a plane, groups of those that would lie on each other. No tiles, no drawing.
import { TROUBLES, type Trouble } from "../world/model";
import type { Entry } from "../world/store";

/** Where the middle of the map is, and its scale. */
export interface Camera {
  lat: number;
  lon: number;
  metresPerPx: number;
}

export interface Cluster {
  key: string;
  x: number; // px from the left
  y: number; // px from the top
  entries: Entry[];
  worst: Trouble;
  counts: Partial<Record<Trouble, number>>;
}

const METRES_PER_DEG = 111_320;
// Points nearer than this are shown as one, px.
const CELL_PX = 56;
const NEAR_PX = 48;
export const MIN_SCALE = 0.05;
export const MAX_SCALE = 40_000;

const perLon = (lat: number): number => METRES_PER_DEG * Math.max(0.05, Math.cos((lat * Math.PI) / 180));

export function toPx(camera: Camera, at: readonly [number, number], width: number, height: number): [number, number] {
  return [
    width / 2 + ((at[1] - camera.lon) * perLon(camera.lat)) / camera.metresPerPx,
    height / 2 - ((at[0] - camera.lat) * METRES_PER_DEG) / camera.metresPerPx,
  ];
}

/** The camera after dragging by so many px. */
export const moved = (camera: Camera, dx: number, dy: number): Camera => ({
  ...camera,
  lat: Math.max(-85, Math.min(85, camera.lat + (dy * camera.metresPerPx) / METRES_PER_DEG)),
  lon: camera.lon - (dx * camera.metresPerPx) / perLon(camera.lat),
});

/** The camera after a zoom by `factor` (< 1 goes nearer), with the point at x, y px from the middle staying where it is. */
export function zoomed(camera: Camera, factor: number, x = 0, y = 0): Camera {
  const metresPerPx = Math.max(MIN_SCALE, Math.min(MAX_SCALE, camera.metresPerPx * factor));
  const stay = camera.metresPerPx - metresPerPx;
  return { lat: camera.lat - (y * stay) / METRES_PER_DEG, lon: camera.lon + (x * stay) / perLon(camera.lat), metresPerPx };
}

/** Shows all of them, at no less than `least` metres a pixel. */
export function fitting(entries: readonly Entry[], width: number, height: number, least = 0.2): Camera | null {
  const points = entries.flatMap((entry) => (entry.at ? [entry.at] : []));
  if (points.length === 0) return null;
  let [south, north, west, east] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [lat, lon] of points) {
    south = Math.min(south, lat);
    north = Math.max(north, lat);
    west = Math.min(west, lon);
    east = Math.max(east, lon);
  }
  const lat = (south + north) / 2;
  const across = ((east - west) * perLon(lat)) / Math.max(100, width - 120);
  const along = ((north - south) * METRES_PER_DEG) / Math.max(100, height - 120);
  return { lat, lon: (west + east) / 2, metresPerPx: Math.max(least, across, along) };
}

/** Points in sight, those near each other as one, the worst on top. */
export function clusters(entries: readonly Entry[], camera: Camera, width: number, height: number): Cluster[] {
  const cells = new Map<string, Cluster>();
  const cellM = CELL_PX * camera.metresPerPx;
  for (const entry of entries) {
    if (!entry.at) continue;
    const [x, y] = toPx(camera, entry.at, width, height);
    if (x < -CELL_PX || y < -CELL_PX || x > width + CELL_PX || y > height + CELL_PX) continue;
    // Cells lie on the ground, not on the screen: a drag puts no point into another one.
    const key = `${Math.floor((entry.at[1] * perLon(Math.round(camera.lat))) / cellM)} ${Math.floor((entry.at[0] * METRES_PER_DEG) / cellM)}`;
    const found = cells.get(key) ?? { key, x: 0, y: 0, entries: [], worst: "none", counts: {} };
    found.x += x;
    found.y += y;
    found.entries.push(entry);
    found.counts[entry.trouble] = (found.counts[entry.trouble] ?? 0) + 1;
    if (TROUBLES.indexOf(entry.trouble) < TROUBLES.indexOf(found.worst)) found.worst = entry.trouble;
    cells.set(key, found);
  }
  return apart([...cells.values()].map((one) => ({ ...one, x: one.x / one.entries.length, y: one.y / one.entries.length }))).sort((a, b) => TROUBLES.indexOf(b.worst) - TROUBLES.indexOf(a.worst) || b.entries.length - a.entries.length,
  );
}

/** Those that lie on each other over the border of a cell become one. */
function apart(found: Cluster[]): Cluster[] {
  const out: Cluster[] = [];
  for (const one of found.sort((a, b) => b.entries.length - a.entries.length)) {
    const near = out.find((other) => Math.hypot(other.x - one.x, other.y - one.y) < NEAR_PX);
    if (!near) {
      out.push(one);
      continue;
    }
    const [many, few] = [near.entries.length, one.entries.length];
    near.x = (near.x * many + one.x * few) / (many + few);
    near.y = (near.y * many + one.y * few) / (many + few);
    near.entries = [...near.entries, ...one.entries];
    if (TROUBLES.indexOf(one.worst) < TROUBLES.indexOf(near.worst)) near.worst = one.worst;
    for (const [name, count] of Object.entries(one.counts) as [Trouble, number][]) near.counts[name] = (near.counts[name] ?? 0) + count;
  }
  return out;
}

/** A round length for the scale bar, at most `px` long: [metres, px]. */
export function scaleBar(metresPerPx: number, px: number): [number, number] {
  const most = metresPerPx * px;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= most) ?? power;
  return [metres, metres / metresPerPx];
}
