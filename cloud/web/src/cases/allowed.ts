// What who looks may say of a case, read out of `steps_allowed`: "acknowledge", "order:2".
import type { Case } from "../api/case";

export const may = (one: Case, step: string, level?: number): boolean =>
  one.steps_allowed.includes(level === undefined ? step : `${step}:${level}`);

/** The levels of which a step may be said, the lowest first. */
export const levelsOf = (one: Case, step: string): number[] =>
  one.steps_allowed
    .filter((name) => name.startsWith(`${step}:`))
    .map((name) => Number(name.slice(step.length + 1)))
    .sort();

export const mayAny = (one: Case, step: string): boolean => may(one, step) || levelsOf(one, step).length > 0;
