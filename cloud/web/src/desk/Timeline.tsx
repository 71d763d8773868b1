// The timeline of a case, the newest first: what the lift told, what people said, whom the cloud told and whether they took it.
import { memo, useEffect, useRef, useState } from "react";
import type { Case, TimelineEntry } from "../api/case";
import { call } from "../api/client";
import { clock } from "../app/format";
import { useLang } from "../app/language";
import type { Receipt } from "../generated/api";
import { useIncidents, world } from "../world/store";
import { linesOf } from "./lines";
import { word } from "./texts";

const AGAIN_MS = 5000;

/** All of the case's own lines that were read yet: the stream brings only the newest, one reading of the case brings the others. */
function useEntries(one: Case): TimelineEntry[] {
  const held = useRef<{ of: string; all: Map<number, TimelineEntry> }>({ of: "", all: new Map() });
  if (held.current.of !== one.id) held.current = { of: one.id, all: new Map() };
  for (const entry of one.timeline) held.current.all.set(entry.id, entry);
  const [, again] = useState(0);
  const missing = one.timeline_total > held.current.all.size;
  useEffect(() => {
    if (!missing) return;
    let gone = false;
    void call<Case>(`/api/v1/cases/${encodeURIComponent(one.id)}`)
      .then((whole) => {
        if (gone || held.current.of !== whole.id) return;
        for (const entry of whole.timeline) held.current.all.set(entry.id, entry);
        world.addCases([whole]);
        again((count) => count + 1);
      })
      .catch(() => undefined); // those that are known are shown; the next change of the case tries again
    return () => void (gone = true);
  }, [one.id, one.rev, missing]);
  return [...held.current.all.values()].sort((a, b) => a.id - b.id);
}

/** Notices and their receipts; read again while one is under way. */
function useNotices(one: Case): Receipt[] {
  const [held, setHeld] = useState<{ of: string; found: Receipt[] }>({ of: one.id, found: [] });
  const found = held.of === one.id ? held.found : [];
  const waiting = found.some((notice) => notice.state === "waiting");
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    const read = () =>
      void call<Receipt[]>(`/api/v1/cases/${encodeURIComponent(one.id)}/notices`)
        .then((all) => !gone && setHeld({ of: one.id, found: all }))
        .catch(() => undefined); // what was read before stays
    read();
    const timer = waiting ? setTimeout(() => setRound((count) => count + 1), AGAIN_MS) : null;
    return () => {
      gone = true;
      if (timer) clearTimeout(timer);
    };
  }, [one.id, one.rev, waiting, round]);
  return found;
}

/** Drawn anew when the case changes, not with each second of the clocks beside it. */
export const Timeline = memo(function Timeline({ one }: { one: Case }) {
  const lang = useLang();
  const entries = useEntries(one);
  const notices = useNotices(one);
  const incidents = useIncidents();
  const lines = linesOf(one, entries, incidents, notices, lang);
  const older = one.timeline_total - entries.length;
  return (
    <section className="timeline" tabIndex={0} aria-label={word("timeline", lang)}>
      <h2>{word("timeline", lang)}</h2>
      <ol>
        {lines.map((line) => (
          <li key={line.key} className={line.look ? `line-${line.look}` : undefined}>
            <time className="figures">{clock(line.atMs, lang)}</time>
            <span>
              {line.text}
              {line.note && <q>{line.note}</q>}
              {line.saidAtMs !== null && <b className="late"> {word("saidLate", lang, { time: clock(line.saidAtMs, lang) })}</b>}
              {line.who && <small> {line.who}</small>}
            </span>
          </li>
        ))}
      </ol>
      {older > 0 && <p className="empty">{word("older", lang, { count: older })}</p>}
    </section>
  );
});
