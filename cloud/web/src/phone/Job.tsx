// One case on the technician's phone: where it is, what the lift says, what to do, and the next step as the largest button.
import { useState } from "react";
import type { Case, Leg } from "../api/case";
import { clock, counted } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { may } from "../cases/allowed";
import { spaced } from "../cases/codes";
import { Contacts } from "../cases/Contacts";
import { LiftSays } from "../cases/LiftSays";
import { Photos } from "../cases/Photos";
import { StepDialog, type Values } from "../cases/StepDialog";
import { waited } from "../desk/waited";
import { word as caseWord, type Word as CaseWord } from "../cases/texts";
import type { Asked } from "../desk/forms";
import { inWords } from "../desk/persons";
import { word as deskWord } from "../desk/texts";
import { FAULTS } from "../generated/contract";
import { useLift } from "../world/store";
import { controllerFault, faultTitle } from "../world/words";
import { phoneForm } from "./forms";
import { keptKind, keptLift, titleOf, type Here } from "./here";
import { Full, outbox } from "./outbox";
import { shrunk } from "./photo";
import { dueOf } from "./due";
import { isUnderWay, ownLeg } from "./project";
import { word } from "./texts";

const ETAS_MIN = [5, 10, 15, 20, 30, 45] as const;

interface Props extends Pick<Here, "organisations"> {
  one: Case;
  now: number;
  isLive: boolean;
}

export function Job({ one, organisations, now, isLive }: Props) {
  const lang = useLang();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [problem, setProblem] = useState("");
  const leg = ownLeg(one, organisations);
  const level = leg?.level;
  const add = async (what: Parameters<typeof outbox.add>[0]) => {
    setProblem("");
    try {
      await outbox.add(what);
    } catch (error) {
      setProblem(word(error instanceof Full ? "full" : "notKept", lang));
    }
  };
  const say = (step: string, args: Record<string, unknown> = {}) => void add({ case: one.id, kind: "step", step, args });
  const form = asked && phoneForm(one, asked, lang, level === 1);
  const send = (values: Values) => {
    if (!form) return;
    const isOfLevel = ["released", "mended", "no_rescue", "refuse", "on_the_way"].includes(form.step);
    say(form.step, { ...form.args(values), ...(isOfLevel && level ? { level } : {}) });
    if (form.step === "released" && values.cause) say("cause", { cause: values.cause, note: "" });
    setAsked(null);
  };
  return (
    <>
      <Head one={one} leg={leg} now={now} lang={lang} />
      {one.lift && (isLive ? <LiftSays id={one.lift} /> : <p className="says says-old">{word("saysOffline", lang)}</p>)}
      <Remedies one={one} lang={lang} />
      <Contacts id={one.id} />
      <Pictures one={one} lang={lang} add={add} setProblem={setProblem} />
      <div className="buttons">
        {one.phase !== "closed" && (
          <button className="button" onClick={() => setAsked({ form: "persons" })}>
            {deskWord("persons", lang)}
          </button>
        )}
        <button className="button" onClick={() => setAsked({ form: "note" })}>
          {deskWord("note", lang)}
        </button>
        {may(one, "acknowledge") && (
          <button className="button" onClick={() => say("acknowledge")}>
            {deskWord("acknowledge", lang)}
          </button>
        )}
        {may(one, "close") && (
          <button className="button" onClick={() => setAsked({ form: "close" })}>
            {deskWord("close", lang)}
          </button>
        )}
        {leg && ["ordered", "accepted", "on_the_way"].includes(leg.state) && (
          <button className="button" onClick={() => setAsked({ form: "refuse", level })}>
            {word("refuse", lang)}
          </button>
        )}
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <Next one={one} organisations={organisations} lang={lang} say={say} ask={setAsked} />
      {form && <StepDialog key={asked?.form} form={form} busy={false} problem="" onSend={send} onClose={() => setAsked(null)} />}
    </>
  );
}

function Head({ one, leg, now, lang }: { one: Case; leg: Leg | null; now: number; lang: Lang }) {
  const lift = keptLift(one.lift);
  const due = dueOf(one, leg, now, lang);
  const look = one.phase !== "open" ? "released" : one.kind === "trapped" ? "danger" : "fault";
  const place = [lift?.address || lift?.site, one.place].filter((part, at, all) => part && all.indexOf(part) === at).join(" · ");
  return (
    <section className={`case case-${look}`}>
      <p className="case-kind">
        <b className={`case-badge badge-${look}`}>
          {{ released: "✓", danger: "▲", fault: "◆" }[look]} {titleOf(one, lang)}
        </b>{" "}
        {caseWord("number", lang, { number: one.number })} · {caseWord(`phase_${one.phase}`, lang)}
      </p>
      <div className="case-head">
        <p className="case-code figures">{spaced(one.rescue_code)}</p>
        <div className="case-time">
          <b className="figures">{counted(waited(one, now))}</b>
          <small>{inWords(one, lang)}</small>
        </div>
      </div>
      <p className="case-where">
        <b>{lift?.name || one.lift_name || one.gateway}</b> {place}
      </p>
      {due && <p className={`case-state ${due.isOver ? "over" : ""}`}>{due.text}</p>}
      <Ways name={lift?.name || one.lift_name} place={place} at={lift?.at ?? null} lang={lang} />
    </section>
  );
}

/** Ways to navigate there: by coordinates where they are known (WGS 84 as recorded), else by the address. */
function Ways({ name, place, at, lang }: { name: string; place: string; at: [number, number] | null; lang: Lang }) {
  if (!at && !place) return null;
  const label = encodeURIComponent(`${name} ${place}`.trim());
  const amap = at
    ? `https://uri.amap.com/marker?position=${at[1]},${at[0]}&name=${label}&coordinate=wgs84&callnative=1`
    : `https://uri.amap.com/search?keyword=${encodeURIComponent(place)}&callnative=1`;
  const geo = at ? `geo:${at[0]},${at[1]}?q=${at[0]},${at[1]}(${label})` : `geo:0,0?q=${encodeURIComponent(place)}`;
  return (
    <div className="buttons" aria-label={word("navigate", lang)} role="group">
      <a className="button button-action" href={amap} target="_blank" rel="noreferrer">
        {word("navigate", lang)} · {word("amap", lang)}
      </a>
      <a className="button" href={geo}>
        {word("otherMap", lang)}
      </a>
    </div>
  );
}

function Remedies({ one, lang }: { one: Case; lang: Lang }) {
  const lift = useLift(one.lift);
  const kinds = [...new Set(one.incidents.map(keptKind))].filter((kind) => kind !== null && kind in FAULTS) as (keyof typeof FAULTS)[];
  const fault = lift?.controller_fault;
  if (kinds.length === 0 && !fault) return null;
  return (
    <section className="remedies">
      <h2>{word("remedy", lang)}</h2>
      {kinds.map((kind) => (
        <p key={kind}>
          <b>{faultTitle(kind, lang)}</b>
          <br />
          {FAULTS[kind].remedy[lang]}
        </p>
      ))}
      {fault && (
        <p>
          <b>{controllerFault(fault, lang)}</b>
          <br />
          {fault.remedy[lang]}
        </p>
      )}
    </section>
  );
}

interface PicturesProps {
  one: Case;
  lang: Lang;
  add: (what: Parameters<typeof outbox.add>[0]) => Promise<void>;
  setProblem: (text: string) => void;
}

function Pictures({ one, lang, add, setProblem }: PicturesProps) {
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      await add({ case: one.id, kind: "photo", step: "photo", ...(await shrunk(file)) });
    } catch {
      setProblem(word("badPhoto", lang));
    }
  };
  return (
    <section className="pictures">
      <Photos one={one} />
      <label className="button">
        {word("addPhoto", lang)}
        <input
          className="visually-hidden"
          type="file"
          accept="image/*"
          capture="environment"
          onChange={(event) => {
            void take(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </label>
    </section>
  );
}

interface NextProps extends Pick<Here, "organisations"> {
  one: Case;
  lang: Lang;
  say: (step: string, args?: Record<string, unknown>) => void;
  ask: (asked: Asked) => void;
}

/** The next step, within reach of the thumb. */
function Next({ one, organisations, lang, say, ask }: NextProps) {
  const leg = ownLeg(one, organisations);
  if (one.phase === "closed") return <p className="next next-done">✓ {word("closed", lang)}</p>;
  if (!leg || (one.phase === "open" && !isUnderWay(leg))) return <p className="next next-done">{leg ? caseWord(`leg_${leg.state}` as CaseWord, lang) : word("notSent", lang)}</p>;
  const { level, state } = leg;
  const etas = (
    <div className="etas">
      {ETAS_MIN.map((count) => (
        <button key={count} className="button" onClick={() => say("on_the_way", { level, eta_min: count })}>
          {word("minutes", lang, { count })}
        </button>
      ))}
      <button className="button" onClick={() => say("on_the_way", { level, eta_min: null })}>
        {word("unknownEta", lang)}
      </button>
    </div>
  );
  if (one.phase === "follow_up")
    return (
      <div className="next">
        <p>✓ {word("done", lang)}</p>
        {!one.cause && level === 1 && (one.kind === "trapped" || one.kind === "fault") && (
          <button className="button button-action big" onClick={() => ask({ form: "cause" })}>
            {word("cause", lang)}
          </button>
        )}
      </div>
    );
  return (
    <div className="next">
      {state === "ordered" && (
        <button className="button button-danger big" onClick={() => say("accept", { level })}>
          {word("accept", lang)}
        </button>
      )}
      {state === "accepted" && (
        <>
          <p>{word("setOut", lang)}</p>
          {etas}
        </>
      )}
      {state === "on_the_way" && (
        <>
          <details>
            <summary>
              {leg.eta_ms !== null && `${word("etaAt", lang, { time: clock(leg.eta_ms, lang) })} · `}
              {word("newEta", lang)}
            </summary>
            {etas}
          </details>
          <button className="button button-action big" onClick={() => say("arrived", { level })}>
            {word("arrived", lang)}
          </button>
        </>
      )}
      {state === "arrived" && one.kind === "trapped" && (
        <>
          <button className="button" onClick={() => ask({ form: "no_rescue", level })}>
            {word("noRescue", lang)}
          </button>
          <button className="button button-action big" onClick={() => ask({ form: "released", level })}>
            {word("released", lang)}
          </button>
        </>
      )}
      {state === "arrived" && one.kind !== "trapped" && (
        <button className="button button-action big" onClick={() => ask({ form: "mended", level })}>
          {word("mended", lang)}
        </button>
      )}
    </div>
  );
}
