// Time in the page: one ticker for all, the server's clock beside the browser's, and a watch on sleep.
import { useEffect, useState } from "react";

const TICK_MS = 500;
// The browser's two clocks drift apart by so much only when it slept, or when somebody set its clock.
const ASLEEP_MS = 3000;

const tickers = new Set<() => void>();
const sleepers = new Set<() => void>();
let offsetMs: number | null = null;
let apart = Date.now() - performance.now();

setInterval(() => {
  const now = Date.now() - performance.now();
  if (Math.abs(now - apart) > ASLEEP_MS) for (const woken of sleepers) woken();
  apart = now;
  for (const tick of tickers) tick();
}, TICK_MS);

/** Called twice a second; returns how to stop. */
export function onTick(tick: () => void): () => void {
  tickers.add(tick);
  return () => void tickers.delete(tick);
}

/** Called when the machine slept or its clock was set: `performance.now()` may have stood still meanwhile, so no age is true any more. */
export function onWake(woken: () => void): () => void {
  sleepers.add(woken);
  return () => void sleepers.delete(woken);
}

/** The server told its clock just now. */
export function heardClock(serverMs: number): void {
  if (Number.isFinite(serverMs)) offsetMs = serverMs - performance.now();
}

/** Unix ms by the server's clock, whatever the browser's says; the browser's until the server has told. */
export const serverNow = (): number => (offsetMs === null ? Date.now() : performance.now() + offsetMs);

/** The same, of an instant by `performance.now()`. */
export const serverTime = (atMs: number): number => serverNow() - (performance.now() - atMs);

/** `serverNow()`, anew twice a second or each `everyMs`: for a few figures, not for each of two thousand strips. */
export function useNow(everyMs = TICK_MS): number {
  const [now, setNow] = useState(serverNow);
  useEffect(
    () =>
      onTick(() => setNow((was) => (serverNow() - was >= everyMs - TICK_MS / 2 || serverNow() < was ? serverNow() : was))),
    [everyMs],
  );
  return now;
}
