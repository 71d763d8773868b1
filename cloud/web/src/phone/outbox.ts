// The queue of what the technician said: sent in order, each taken out only when the server has answered, across dead zones and reloads.
import { useCallback, useSyncExternalStore } from "react";
import { opId } from "../alarm/steps";
import type { Case } from "../api/case";
import { ApiProblem, call } from "../api/client";
import { refusalOf } from "../cases/refusals";
import type { Me } from "../generated/api";
import { world } from "../world/store";
import { addItem, dropItem, putItem, readQueue, type Item } from "./kept";

// Sent within so long it was said when it arrived, and needs no time of its own. Ours.
const AT_ONCE_MS = 5000;
const FIRST_WAIT_MS = 2000;
const LAST_WAIT_MS = 60_000;
const PHOTO_DEADLINE_MS = 60_000; // 300 kB on a thin line
// Ours: a shift's work without any line is some dozens of steps.
export const MOST_ITEMS = 200;
const MOST_BUSY = 6; // ours: over a minute
const LOCK = "liftwatch-outbox";

export class Full extends Error {}

/** The server may take it later; all other refusals are for good. */
const isPassing = (status: number): boolean => status === 0 || status === 401 || status === 408 || status === 429 || status >= 500;

class Outbox {
  items: readonly Item[] = [];
  private sending = false;
  private busy = 0; // times in a row that the first one was put off
  private person = "";
  private waitMs = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private async reload(): Promise<void> {
    const all = await readQueue();
    this.items = all.filter((item) => item.person === this.person);
    for (const listener of this.listeners) listener();
  }

  /** Whose queue it is. */
  async begin(person: string): Promise<void> {
    this.person = person;
    await this.reload();
    this.wake();
  }

  async add(what: Pick<Item, "case" | "kind" | "step"> & Partial<Pick<Item, "args" | "photo" | "preview">>): Promise<void> {
    if (this.items.length >= MOST_ITEMS) throw new Full();
    await addItem({ op: opId(), person: this.person, args: {}, photo: null, preview: "", atMs: Date.now(), tries: 0, behind: this.items.some((item) => !item.refused), refused: null, ...what });
    await this.reload();
    this.wake();
  }

  /** The technician has read why it was refused. */
  async dismiss(item: Item): Promise<void> {
    if (item.refused) await dropItem(item.n!);
    await this.reload();
  }

  /** There is a line again, or may be. */
  wake(): void {
    this.waitMs = FIRST_WAIT_MS;
    void this.flush();
  }

  private async flush(): Promise<void> {
    if (this.sending || !this.person) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.sending = true;
    let whole = false;
    try {
      // Another tab of the same phone may be at it. Without locks (no secure origin) the ids make it harmless.
      whole = navigator.locks ? await navigator.locks.request(LOCK, () => this.sendAll()) : await this.sendAll();
    } catch {
      // the browser's database failed: tried again like a line that is gone
    } finally {
      this.sending = false;
    }
    if (!whole || this.items.some((item) => !item.refused)) this.later();
  }

  private later(): void {
    this.timer = setTimeout(() => void this.flush(), this.waitMs);
    this.waitMs = Math.min(LAST_WAIT_MS, this.waitMs * 2);
  }

  /** Send what waits, in order, until the line is gone. True when nothing is left that could be sent now. */
  private async sendAll(): Promise<boolean> {
    let sender = "";
    for (;;) {
      await this.reload();
      const next = this.items.find((item) => !item.refused);
      if (!next) return true;
      const tried = { ...next, tries: next.tries + 1 };
      await putItem(tried); // a page that is closed now says it again as one that was said before
      sender ||= await signedIn();
      if (sender !== next.person) return false; // kept for him until he signs in again
      try {
        await send(tried);
        await dropItem(next.n!);
        this.busy = 0;
      } catch (error) {
        if (!(error instanceof ApiProblem) || isPassing(error.status)) return false;
        const found = refusalOf(error);
        // Many at the same case at the same moment: no word on the step itself.
        if (next.kind === "step" && error.status === 409 && !found && (this.busy += 1) < MOST_BUSY) return false;
        this.busy = 0;
        if (found) world.addCases([found.case]);
        await putItem({ ...tried, refused: { status: error.status, reason: found?.reason ?? "", text: found?.text ?? error.title, kept: found?.kept ?? false } });
      }
    }
  }
}

/** Whose session it is now: the phone may have been handed on, and this page or another tab signed in anew. Empty while that is not known. */
async function signedIn(): Promise<string> {
  try {
    return (await call<Me>("/api/v1/me")).id;
  } catch {
    return "";
  }
}

async function send(item: Item): Promise<void> {
  const path = `/api/v1/cases/${encodeURIComponent(item.case)}`;
  if (item.kind === "photo") {
    await call<unknown>(`${path}/photos`, { method: "POST", body: item.photo!, deadlineMs: PHOTO_DEADLINE_MS });
    return;
  }
  const late = item.behind || item.tries > 1 || Date.now() - item.atMs > AT_ONCE_MS;
  const body = { op: item.op, step: item.step, ...item.args, ...(late ? { said_at_ms: item.atMs } : {}) };
  world.addCases([await call<Case>(`${path}/steps`, { method: "POST", body })]);
}

export const outbox = new Outbox();

/** This person's queue, in order. */
export function useOutbox(): readonly Item[] {
  const subscribe = useCallback((listener: () => void) => outbox.subscribe(listener), []);
  return useSyncExternalStore(subscribe, () => outbox.items);
}
