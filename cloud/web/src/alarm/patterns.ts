// How an alarm of each severity sounds: short notes, a pause, again. Ours; told apart by rhythm and pitch, not by loudness.

export interface Note {
  hz: number;
  atMs: number;
  lastsMs: number;
}

export interface Pattern {
  notes: readonly Note[];
  everyMs: number;
}

const run = (everyMs: number, lastsMs: number, ...notes: [hz: number, atMs: number][]): Pattern => ({
  everyMs,
  notes: notes.map(([hz, atMs]) => ({ hz, atMs, lastsMs })),
});

const TRAPPED = run(3500, 170, [880, 0], [660, 200], [880, 400], [660, 600], [880, 1100], [660, 1300], [880, 1500], [660, 1700]);
const SERIOUS = run(9000, 220, [587, 0], [587, 300], [440, 600]);
const FAULT = run(30_000, 260, [440, 0]);
/** What "start shift" plays: not like any alarm. */
export const TEST = run(0, 140, [523, 0], [659, 170], [784, 340]);

/** Null: it makes no sound. */
export const patternOf = (severity: number): Pattern | null =>
  severity >= 4 ? TRAPPED : severity === 3 ? SERIOUS : severity === 2 ? FAULT : null;
