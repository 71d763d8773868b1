// The desk's queue: open cases, the worst first, each with what decides which one is looked at.
import { useEffect, useRef, useState } from "react";
import type { Case } from "../api/case";
import { ApiProblem } from "../api/client";
import { caseTitle } from "../alarm/words";
import { clock, counted, dayAndClock } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { Link } from "../app/Link";
import { address, setQuery, useQuery } from "../app/router";
import { codeIn, spaced } from "../cases/codes";
import { stepProblem } from "../cases/refusals";
import { word as caseWord } from "../cases/texts";
import type { Incident } from "../world/model";
import { useIncidents, world } from "../world/store";
import { faultTitle } from "../world/words";
import { inWords } from "./persons";
import { countsOf, fits, levelOf, nearest, rankOf, repeatsOf } from "./queue";
import { word, type Word } from "./texts";
import { waited } from "./waited";

const KINDS = ["trapped", "fault", "gateway_silent", "other"] as const;
const SHOWN_CLOSED = 20;
// A wide power cut may open a thousand: the worst are what somebody works through, the others are found by the filter. Ours.
const SHOWN = 200;
// Six digits are looked up at once; this long after the last of them, so that a wrong one can be put right.
const LOOK_UP_MS = 250;

export const pathOf = (one: Pick<Case, "id">): string => address(`/desk/${encodeURIComponent(one.id)}`, kept());
const kept = () => Object.fromEntries(["kind", "district"].flatMap((name) => {
  const value = new URLSearchParams(location.search).get(name);
  return value ? [[name, value]] : [];
}));

/** What a case can be found by beside its own words. */
export const namedBy = (one: Case): string => {
  const lift = world.lifts.get(one.lift);
  return lift ? `${lift.name} ${lift.address} ${lift.site}` : "";
};

interface Props {
  queue: readonly Case[];
  closed: readonly Case[];
  selected: string;
  now: number;
  onCode: (code: string) => Promise<void>;
  onNew: () => void;
  find: React.RefObject<HTMLInputElement | null>;
}

export function Queue({ queue, closed, selected, now, onCode, onNew, find }: Props) {
  const lang = useLang();
  const [text, setText] = useState("");
  const [kind] = useQuery("kind");
  const [district] = useQuery("district");
  const counts = countsOf(queue);
  const shown = queue.filter((one) => fits(one, { text, kind, district }, namedBy(one)));
  const districts = [...new Set(queue.map((one) => one.district))].filter(Boolean).sort();
  return (
    <section className="queue" aria-label={word("queue", lang)}>
      <h2>
        {word("queue", lang)} <small className="figures">{word("counts", lang, { ...counts })}</small>
      </h2>
      <Find text={text} setText={setText} onCode={onCode} find={find} />
      <div className="queue-tools">
        <Choice name="kind" label={word("kind", lang)} any={word("anyKind", lang)} value={kind} options={KINDS.map((value) => [value, caseWord(`kind_${value}`, lang)])} />
        {districts.length > 0 && <Choice name="district" label={word("district", lang)} any={word("anyDistrict", lang)} value={district} options={districts.map((value) => [value, value])} />}
        <button className="button" aria-haspopup="dialog" onClick={onNew}>
          {word("newCase", lang)} <kbd>N</kbd>
        </button>
      </div>
      {queue.length === 0 && (
        <p className="empty">
          {word("empty", lang)}
          {closed[0] && ` · ${word("emptyLast", lang, { time: dayAndClock(closed[0].closed_at_ms!, lang) })}`}
        </p>
      )}
      {queue.length > 0 && shown.length === 0 && (
        <p className="empty">
          {word("hiddenAll", lang, { count: queue.length })}{" "}
          <button className="button" onClick={() => (setText(""), setQuery({ kind: "", district: "" }))}>
            {word("clear", lang)}
          </button>
        </p>
      )}
      <ol className="cases">
        {shown.slice(0, SHOWN).map((one) => (
          <li key={one.id}>
            <Row one={one} lang={lang} now={now} selected={one.id === selected} />
          </li>
        ))}
      </ol>
      {shown.length > SHOWN && <p className="empty">{word("unlisted", lang, { count: shown.length - SHOWN })}</p>}
      {closed.length > 0 && (
        <details className="closed">
          <summary>{word("closedLately", lang, { count: closed.length })}</summary>
          <ol className="cases">
            {closed.slice(0, SHOWN_CLOSED).map((one) => (
              <li key={one.id}>
                <Row one={one} lang={lang} now={now} selected={one.id === selected} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

/** Filters what is listed; six digits go straight to the case of that lift, or to the form of a new one. */
function Find({ text, setText, onCode, find }: { text: string; setText: (text: string) => void } & Pick<Props, "onCode" | "find">) {
  const lang = useLang();
  const [told, setTold] = useState("");
  const code = codeIn(text);
  const look = useRef(onCode);
  look.current = onCode;
  useEffect(() => {
    setTold("");
    if (!code) return;
    const timer = setTimeout(() => {
      setTold(word("searching", lang, { code: spaced(code) }));
      look.current(code).then(
        () => setText(""),
        (error: unknown) => setTold(error instanceof ApiProblem && error.status === 404 ? word("noCode", lang, { code: spaced(code) }) : stepProblem(error, lang)),
      );
    }, LOOK_UP_MS);
    return () => clearTimeout(timer);
  }, [code, lang, setText]);
  return (
    <>
      <input ref={find} type="search" className="search" aria-label={word("find", lang)} placeholder={word("findHint", lang)} value={text} autoComplete="off" onChange={(event) => setText(event.target.value)} />
      <p className="found" role="status">
        {told}
      </p>
    </>
  );
}

function Choice({ name, label, any, value, options }: { name: string; label: string; any: string; value: string; options: readonly (readonly [string, string])[] }) {
  return (
    <label className="choose">
      <span className="visually-hidden">{label}</span>
      <select value={value} onChange={(event) => setQuery({ [name]: event.target.value })}>
        <option value="">{any}</option>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

const LOOKS = ["new", "danger", "fault", "shelved", "released"] as const;
const SYMBOLS = { new: "▲", danger: "▲", fault: "◆", shelved: "‖", released: "✓" };

export const lookOf = (one: Case): (typeof LOOKS)[number] => LOOKS[rankOf(one)]!;

/** What is left to do where nothing is left to do on site. */
export function leftToDo(one: Case, lang: Lang): string {
  const names = one.clocks.map((found) => found.name);
  const words: Word[] = [];
  if (names.includes("end_of_alarm")) words.push("waitingCar");
  if (names.includes("call_back")) words.push("waitingCallBack");
  if (names.includes("cause")) words.push("waitingCause");
  return (words.length > 0 ? words : (["waitingClose"] as Word[])).map((name) => word(name, lang)).join(" · ");
}

/** The area events that it is of: "of: Power cut of an area". Empty where it is of none. */
export function ofAreas(one: Case, incidents: ReadonlyMap<string, Incident>, lang: Lang): string {
  const kinds = [...new Set(one.areas.map((id) => incidents.get(id)?.kind ?? ""))].filter(Boolean);
  if (one.areas.length === 0) return "";
  return word("ofArea", lang, { what: kinds.map((kind) => faultTitle(kind, lang)).join(", ") || one.areas.join(", ") });
}

/** "arrival 12:03" or "arrival over by 02:10": the clock that is next to run out. */
export function nextClock(one: Case, now: number, lang: Lang): { text: string; isOver: boolean } | null {
  const next = [...one.clocks].filter((found) => !["review", "end_of_alarm"].includes(found.name)).sort((a, b) => a.due_ms - b.due_ms)[0];
  if (!next) return null;
  const isOver = next.due_ms < now;
  const name = word(`clock_${next.name}`, lang);
  return { text: word(isOver ? "over" : "next", lang, { clock: name, time: counted(Math.abs(next.due_ms - now)) }), isOver };
}

function Row({ one, lang, now, selected }: { one: Case; lang: Lang; now: number; selected: boolean }) {
  const incidents = useIncidents();
  const lift = world.lifts.get(one.lift);
  const look = lookOf(one);
  const isClosed = one.closed_at_ms !== null;
  const leg = nearest(one);
  const next = isClosed ? null : nextClock(one, now, lang);
  const level = levelOf(one);
  const repeats = repeatsOf(one);
  const where = one.kind === "gateway_silent" ? one.gateway : lift?.name || one.lift_name || one.place || one.lift;
  return (
    <Link className={`row row-${isClosed ? "closed" : look}${selected ? " selected" : ""}`} href={pathOf(one)} aria-current={selected ? "true" : undefined} data-case={one.id}>
      <span className="row-head">
        <b className="row-what">
          {SYMBOLS[isClosed ? "released" : look]} {caseTitle(one, incidents, lang)}
          {repeats > 1 && <i className="repeats"> {word("repeats", lang, { count: repeats })}</i>}
        </b>
        <b className="row-time figures">{counted(waited(one, now))}</b>
      </span>
      <span className="row-where">
        {one.rescue_code && <b className="row-code figures">{spaced(one.rescue_code)}</b>}
        <span>{where}</span>
      </span>
      {one.areas.length > 0 && <span className="row-foot">{ofAreas(one, incidents, lang)}</span>}
      <span className="row-foot">
        <span className="row-state">{stateOf(one, lang)}</span>
        {one.kind === "gateway_silent" ? (
          <span>{one.at_risk.length > 0 ? word("atRisk", lang, { lifts: one.at_risk.map((id) => world.lifts.get(id)?.name ?? id).join(", ") }) : ""}</span>
        ) : (
          <span>{inWords(one, lang)}</span>
        )}
      </span>
      {!isClosed && one.phase === "open" && (
        <span className="row-foot">
          <span>
            {level === 0 ? (one.kind === "gateway_silent" ? "" : word("noLevel", lang)) : word("level", lang, { level })}
            {leg && ` · ${leg.organisation ?? word("toCall", lang)} ${caseWord(`leg_${leg.state}`, lang)}`}
          </span>
          {next && <b className={next.isOver ? "over" : ""}>{next.text}</b>}
        </span>
      )}
    </Link>
  );
}

function stateOf(one: Case, lang: Lang): string {
  if (one.closed_at_ms !== null) return word("closedAt", lang, { time: clock(one.closed_at_ms, lang) });
  if (one.phase !== "open") return leftToDo(one, lang);
  if (one.shelved) return word("shelved", lang, { time: clock(one.shelved.until_ms, lang) });
  const cleared = one.active || one.incidents.length === 0 ? "" : ` · ${word("cleared", lang)}`;
  if (one.acknowledged) return word("has", lang, { name: one.acknowledged.name }) + cleared;
  return word("unack", lang) + (one.reminders > 0 ? ` · ${word("overdueAck", lang, { count: one.reminders })}` : "") + cleared;
}
