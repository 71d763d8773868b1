// Saying a step of a case. Each has an id made here: said again after a lost answer, it counts once.
import { ApiProblem, call } from "../api/client";
import type { Case } from "../world/model";
import { world } from "../world/store";

/** An id of one saying; also where the page is not from a secure origin, which has no `randomUUID`. */
export function opId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TRIES = 2;

/** What a refusal says that the case is now. */
const newest = (error: ApiProblem): Case | null => (error.body as { detail?: { case?: Case } | null } | null)?.detail?.case ?? null;

/** The case afterwards, which the world has then, too. Where it was refused because somebody was quicker, the world has what is now, and the problem is thrown on. */
export async function say(id: string, step: string, args: Record<string, unknown> = {}): Promise<Case> {
  const body = { op: opId(), step, ...args };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await call<Case>(`/api/v1/cases/${encodeURIComponent(id)}/steps`, { method: "POST", body });
      world.addCases([found]);
      return found;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      // No answer, or many at the same case at once: the same op again counts once.
      const isBusy = error.status === 409 && newest(error) === null;
      if ((error.status === 0 || isBusy) && attempt < TRIES) continue;
      if (error.status === 409) world.addCases([newest(error) ?? (await call<Case>(`/api/v1/cases/${encodeURIComponent(id)}`))]);
      throw error;
    }
  }
}

/** `steps_allowed` has names, with a level where a step is about one. */
export const mayStep = (one: Case, step: string): boolean => one.steps_allowed.includes(step);
