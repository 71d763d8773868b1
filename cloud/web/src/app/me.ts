// Who looks at the page, and what he may do. Read once; the server decides anew at every call.
import { useEffect, useState } from "react";
import { call } from "../api/client";
import type { Me } from "../generated/api";

let asked: Promise<Me> | null = null;

const me = (): Promise<Me> =>
  (asked ??= call<Me>("/api/v1/me").catch((error: unknown) => {
    asked = null;
    throw error;
  }));

/** Null until it is known. */
export function useMe(): Me | null {
  const [found, setFound] = useState<Me | null>(null);
  useEffect(() => {
    let gone = false;
    const ask = () =>
      void me()
        .then((known) => !gone && setFound(known))
        .catch(() => !gone && setTimeout(ask, 5000));
    ask();
    return () => void (gone = true);
  }, []);
  return found;
}
