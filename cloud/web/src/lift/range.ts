// Which part of time is shown: the last minutes up to now, or a part that was chosen. It stands in the address.
import { useMemo } from "react";
import { address, go, here, setQuery, usePlace } from "../app/router";
import { serverNow } from "../app/time";

export const RANGES = ["10m", "1h", "6h", "24h", "7d", "30d"] as const;
export type RangeName = (typeof RANGES)[number];
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MIN_MS = 5000;
// The API refuses more than 31 days.
const MAX_MS = 30.9 * 86_400_000;

export const lengthOf = (name: RangeName): number => Number(name.slice(0, -1)) * UNIT_MS[name.slice(-1) as "m"];

export interface Range {
  /** Null: up to now, for `lengthMs`. */
  fixed: { fromMs: number; toMs: number } | null;
  name: RangeName;
  lengthMs: number;
}

export function useRange(): Range {
  const { query } = usePlace();
  return useMemo(() => {
    const name = RANGES.find((one) => one === query.get("range")) ?? "10m";
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    const isFixed = Number.isFinite(from) && Number.isFinite(to) && from > 0 && to - from >= MIN_MS / 2;
    return isFixed ? { fixed: { fromMs: from, toMs: to }, name, lengthMs: to - from } : { fixed: null, name, lengthMs: lengthOf(name) };
  }, [query]);
}

/** Show a part: a step in the browser's history, so that "back" leads out of it. */
export function showPart(fromMs: number, toMs: number, replace = false): void {
  const length = Math.max(MIN_MS, Math.min(MAX_MS, toMs - fromMs));
  const middle = (fromMs + toMs) / 2;
  const end = Math.min(middle + length / 2, Math.max(serverNow(), MIN_MS));
  const query = Object.fromEntries(here().query);
  go(address(here().path, { ...query, from: String(Math.round(end - length)), to: String(Math.round(end)) }), replace);
}

export const showLive = (name: RangeName): void => setQuery({ range: name === "10m" ? "" : name, from: "", to: "" });
