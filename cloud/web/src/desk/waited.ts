// How long somebody has waited.
import type { Case } from "../api/case";

/** How long somebody has waited, or had to wait; a trapped one from when the lift says that it began. */
export const waited = (one: Case, now: number): number => (one.released_at_ms ?? one.closed_at_ms ?? now) - one.since_ms;
