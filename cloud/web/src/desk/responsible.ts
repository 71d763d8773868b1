// Whose the lift of a case is: names of organisations, no persons.
import { useEffect, useState } from "react";
import { call } from "../api/client";
import type { LiftAssignment } from "../generated/api";

interface Names {
  contractor: string;
  manager: string;
}
const NONE: Names = { contractor: "", manager: "" };

/** Empty until it is read, and where it is not recorded. */
export function useResponsible(lift: string): Names {
  const [held, setHeld] = useState({ of: "", names: NONE });
  useEffect(() => {
    if (!lift) return;
    let gone = false;
    void call<LiftAssignment>(`/api/v1/lifts/${encodeURIComponent(lift)}/assignment`)
      .then((found) => !gone && setHeld({ of: lift, names: { contractor: found.contractor?.name ?? "", manager: found.manager?.name ?? "" } }))
      .catch(() => undefined); // the case is worked on without their names
    return () => void (gone = true);
  }, [lift]);
  return held.of === lift ? held.names : NONE;
}
