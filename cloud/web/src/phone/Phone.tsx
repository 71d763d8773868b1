// The technician's phone: what he is sent to, one column, and a queue that outlives dead zones.
import { useEffect, useState } from "react";
import { age, clock, counted } from "../app/format";
import { LanguageButton, LivePill } from "../app/Header";
import { Shift } from "../alarm/Shift";
import { useLang } from "../app/language";
import { Link } from "../app/Link";
import { address } from "../app/router";
import { useNow } from "../app/time";
import { spaced } from "../cases/codes";
import { waited } from "../desk/waited";
import { word as caseWord } from "../cases/texts";
import type { Case } from "../api/case";
import { useConnection } from "../world/store";
import { dueOf } from "./due";
import { keptLift, titleOf, useHere } from "./here";
import { Job } from "./Job";
import { outbox, useOutbox } from "./outbox";
import "../desk/desk.css";
import "./phone.css";
import { inOrder, isUnderWay, ownLeg, projected } from "./project";
import { Waiting } from "./Queue";
import { word } from "./texts";
import { keepPage } from "./worker";

/** The queue is sent whenever there may be a line again. */
function useWaking(state: string): void {
  useEffect(() => {
    const wake = () => document.visibilityState === "visible" && outbox.wake();
    const now = () => outbox.wake();
    addEventListener("online", now);
    document.addEventListener("visibilitychange", wake);
    return () => {
      removeEventListener("online", now);
      document.removeEventListener("visibilitychange", wake);
    };
  }, []);
  useEffect(() => {
    if (state === "current") outbox.wake();
  }, [state]);
}

export default function Phone({ parts }: { parts: Record<string, string> }) {
  const lang = useLang();
  const here = useHere();
  const items = useOutbox();
  const state = useConnection();
  const now = useNow(1000);
  const [isKept, setKept] = useState(false);
  useWaking(state);
  useEffect(() => {
    if (state === "current" && !isKept) void keepPage().then(setKept);
  }, [state, isKept]);
  const cases = here?.cases.map((one) => projected(one, items)) ?? [];
  const id = parts.case;
  const one = id ? cases.find((found) => found.id === id) : undefined;
  const isOffline = state !== "current" && (here === null || here.keptAtMs !== null || state === "lost");
  return (
    <div className="phone">
      <header className="phone-head">
        <h1>{word("mine", lang)}</h1>
        <LivePill />
        <LanguageButton />
      </header>
      {isOffline && (
        <p className="phone-offline" role="status">
          {here?.keptAtMs ? word("offline", lang, { time: clock(here.keptAtMs, lang), age: age(Math.max(0, Date.now() - here.keptAtMs), lang) }) : word("offlineNew", lang)}
        </p>
      )}
      <Waiting items={id ? items.filter((item) => item.case === id) : items} />
      {id ? (
        <>
          <Link className="button phone-back" href={address("/phone")}>
            ‹ {word("back", lang)}
          </Link>
          {one && here ? <Job key={id} one={one} organisations={here.organisations} now={now} isLive={here.keptAtMs === null} /> : <Missing isKnown={here !== null} />}
        </>
      ) : (
        <List cases={inOrder(cases, here?.organisations ?? [])} organisations={here?.organisations ?? []} now={now} />
      )}
      <nav className="phone-foot" aria-label={word("elsewhere", lang)}>
        {isKept && <p className="empty">{word("keptForOffline", lang)}</p>}
        <Shift />
        <Link className="pill" href={address("/")}>
          {word("liveView", lang)}
        </Link>
        <a className="pill" href={`/account?lang=${lang}`}>
          {word("account", lang)}
        </a>
      </nav>
    </div>
  );
}

function Missing({ isKnown }: { isKnown: boolean }) {
  const lang = useLang();
  return isKnown ? <p className="empty">{word("notHere", lang)}</p> : null;
}

function List({ cases, organisations, now }: { cases: readonly Case[]; organisations: readonly string[]; now: number }) {
  const lang = useLang();
  if (cases.length === 0)
    return (
      <section>
        <h2>{word("none", lang)}</h2>
        <p className="empty">{word("noneWhy", lang)}</p>
      </section>
    );
  return (
    <ol className="cases" aria-label={word("mine", lang)}>
      {cases.map((one) => {
        const leg = ownLeg(one, organisations);
        const lift = keptLift(one.lift);
        const look = one.phase !== "open" ? "released" : one.kind !== "trapped" ? "fault" : leg?.state === "ordered" ? "new" : "danger";
        const due = dueOf(one, leg, now, lang);
        return (
          <li key={one.id}>
            <Link className={`row row-${look}`} href={address(`/phone/${encodeURIComponent(one.id)}`)} data-case={one.id}>
              <span className="row-head">
                <b className="row-what">
                  {{ new: "▲", danger: "▲", fault: "◆", released: "✓" }[look]} {titleOf(one, lang)}
                </b>
                <b className="row-time figures">{counted(waited(one, now))}</b>
              </span>
              <span className="row-where">
                <b className="row-code figures">{spaced(one.rescue_code)}</b>
              </span>
              <span>{[lift?.name || one.lift_name || one.gateway, lift?.address || one.place || lift?.site].filter(Boolean).join(" · ")}</span>
              <span className="row-foot">
                <span className="row-state">{leg && isUnderWay(leg) ? caseWord(`leg_${leg.state}`, lang) : caseWord(`phase_${one.phase}`, lang)}</span>
                {due && <b className={due.isOver ? "over" : ""}>{due.text}</b>}
              </span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}
