// How long somebody has waited: from when the lift says that it began, not from when it was told.
import type { Case } from "../api/case";
import { SEVERE } from "../world/model";
import { world } from "../world/store";

/** Unix ms. Of a trapped case the earliest onset of what shut somebody in; else when the case was opened. */
export function sinceOf(one: Case): number {
  const told = one.kind === "trapped" ? one.incidents.map((id) => world.incidents.get(id)) : [];
  return Math.min(one.opened_at_ms, ...told.flatMap((incident) => (incident && incident.severity >= SEVERE && incident.stages.onset !== null ? [incident.stages.onset] : [])));
}

/** How long somebody has waited, or had to wait. */
export const waited = (one: Case, now: number): number => (one.released_at_ms ?? one.closed_at_ms ?? now) - sinceOf(one);
