// The rescue desk: the queue, the chosen case, its lift, the other lifts of the site. Nothing moves under the dispatcher's hand.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Urgent } from "../alarm/Alarms";
import type { Case } from "../api/case";
import { call } from "../api/client";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { go, useQuery } from "../app/router";
import { useNow } from "../app/time";
import { Strip } from "../live/Strip";
import "../live/live.css";
import { useCases, useEntries, useLift, world } from "../world/store";
import { CaseView } from "./CaseView";
import "./desk.css";
import { LiveShaft } from "./LiveShaft";
import { byCode, NewCase } from "./NewCase";
import { namedBy, pathOf, Queue } from "./Queue";
import { closedLately, fits, inQueue } from "./queue";
import { word } from "./texts";

/** The case of the address; read from the server where the world does not have it. */
function useChosen(id: string): Case | null | "gone" {
  const cases = useCases();
  const [gone, setGone] = useState("");
  const held = cases.get(id);
  useEffect(() => {
    if (!id || world.cases.has(id)) return;
    let left = false;
    void call<Case>(`/api/v1/cases/${encodeURIComponent(id)}`)
      .then((found) => {
        world.addCases([found]);
        // A call that was linked to a lift with a case of its own is answered by that one.
        if (!left && found.id !== id) go(pathOf(found), true);
      })
      .catch(() => !left && setGone(id));
    return () => void (left = true);
  }, [id]);
  return held ?? (id && gone === id ? "gone" : null);
}

export default function Desk({ parts }: { parts: Record<string, string> }) {
  const lang = useLang();
  const cases = useCases();
  const id = parts.case ?? "";
  const chosen = useChosen(id);
  const now = useNow(1000);
  const find = useRef<HTMLInputElement>(null);
  const [entering, setEntering] = useState<{ code: string } | null>(null);
  const [kind] = useQuery("kind");
  const [district] = useQuery("district");
  const queue = useMemo(() => inQueue(cases.values()), [cases]);
  const closed = useMemo(() => closedLately(cases.values()), [cases]);

  const step = (by: number) => {
    const listed = queue.filter((one) => fits(one, { text: "", kind, district }, namedBy(one)));
    const at = listed.findIndex((one) => one.id === id);
    const next = listed[at < 0 ? 0 : Math.max(0, Math.min(listed.length - 1, at + by))];
    if (next) go(pathOf(next));
  };
  const onCode = useCallback(async (code: string) => {
    const found = await byCode(code);
    find.current?.blur(); // the keys of one letter are wanted again
    if (found.case) go(pathOf({ id: found.case }));
    else setEntering({ code });
  }, []);
  useKeys([
    { keys: ["j"], does: { zh: word("keyNext", "zh"), en: word("keyNext", "en") }, run: () => step(1) },
    { keys: ["k"], does: { zh: word("keyPrevious", "zh"), en: word("keyPrevious", "en") }, run: () => step(-1) },
    { keys: ["n"], does: { zh: word("keyNew", "zh"), en: word("keyNew", "en") }, run: () => setEntering({ code: "" }) },
    { keys: ["/"], does: { zh: word("keyFind", "zh"), en: word("keyFind", "en") }, run: () => find.current?.focus() },
  ]);
  const one = chosen === "gone" ? null : chosen;
  return (
    <div className="desk">
      <Urgent />
      <Queue queue={queue} closed={closed} selected={id} now={now} onCode={onCode} onNew={() => setEntering({ code: "" })} find={find} />
      <div className="desk-case">
        {one ? (
          <CaseView key={one.id} one={one} now={now} />
        ) : (
          <section className="nothing">
            <h2>{word(chosen === "gone" ? "gone" : "choose", lang)}</h2>
            <p>{word("chooseHow", lang)}</p>
          </section>
        )}
      </div>
      <div className="desk-lift">
        <section aria-label={word("shaft", lang)}>
          <h2>{word("shaft", lang)}</h2>
          {one?.lift ? <LiveShaft id={one.lift} /> : <p className="empty">{word("noShaft", lang)}</p>}
        </section>
        {one && <Beside one={one} />}
      </div>
      {entering && <NewCase code={entering.code} onClose={() => setEntering(null)} />}
    </div>
  );
}

/** The other lifts of the site; of a silent gateway those that are to be looked at first. */
function Beside({ one }: { one: Case }) {
  const lang = useLang();
  const entries = useEntries();
  const lift = useLift(one.lift);
  const silent = one.kind === "gateway_silent";
  const ids = silent ? one.at_risk : lift?.site ? entries.filter((entry) => entry.site === lift.site && entry.id !== lift.id).map((entry) => entry.id) : [];
  if (ids.length === 0 && !silent) return null;
  return (
    <section className="desk-site">
      <h2>{word(silent ? "liftsAtRisk" : "siteLifts", lang, { count: ids.length })}</h2>
      {ids.length === 0 && <p className="empty">{word("noneAtRisk", lang)}</p>}
      <div className="desk-strips">
        {ids.map((id) => (
          <div key={id} className="desk-strip">
            <Strip id={id} size="small" lang={lang} selected={false} />
          </div>
        ))}
      </div>
    </section>
  );
}
