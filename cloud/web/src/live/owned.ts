// Whose the lifts are, read when somebody wants them grouped by it.
import { useEffect, useState } from "react";
import { call } from "../api/client";
import type { LiftAssignment } from "../generated/api";
import type { Owned } from "./filters";

const PAGE = 500;
const AGAIN_MS = 300_000;
const NONE: ReadonlyMap<string, Owned> = new Map();

async function readAll(): Promise<Map<string, Owned>> {
  const out = new Map<string, Owned>();
  let after = "";
  for (;;) {
    const rows = await call<LiftAssignment[]>(`/api/v1/assignments?limit=${PAGE}&after=${encodeURIComponent(after)}`);
    for (const row of rows) out.set(row.lift, { district: row.district, contractor: row.contractor?.name ?? "" });
    if (rows.length < PAGE) return out;
    after = rows[rows.length - 1]!.lift;
  }
}

/** Empty until it is read, and where it is not wanted. */
export function useOwned(wanted: boolean): ReadonlyMap<string, Owned> {
  const [found, setFound] = useState(NONE);
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    const read = () =>
      void readAll()
        .then((all) => !gone && setFound(all))
        .catch(() => undefined); // what was read before stays
    read();
    const timer = setInterval(read, AGAIN_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [wanted]);
  return found;
}
