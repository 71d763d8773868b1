// Whom to call about a case. Personal data: read only when somebody asks, and each read is in the audit log.
import { useState } from "react";
import type { Contact } from "../api/case";
import { call } from "../api/client";
import { useLang } from "../app/language";
import { stepProblem } from "./refusals";

/** `found` is null until it was asked for. */
export function useContacts(id: string): { found: Contact[] | null; problem: string; ask: () => void; hide: () => void } {
  const lang = useLang();
  const [held, setHeld] = useState<{ of: string; found: Contact[] | null; problem: string }>({ of: id, found: null, problem: "" });
  const ask = () =>
    void call<Contact[]>(`/api/v1/cases/${encodeURIComponent(id)}/contacts`).then(
      (found) => setHeld({ of: id, found, problem: "" }),
      (error: unknown) => setHeld({ of: id, found: null, problem: stepProblem(error, lang) }),
    );
  const mine = held.of === id ? held : { found: null, problem: "" };
  return { found: mine.found, problem: mine.problem, ask, hide: () => setHeld({ of: id, found: null, problem: "" }) };
}
