// The chosen case: code and waiting time largest, who and where, what the lift says, what can be done, the ladder, what was said.
import type { Case } from "../api/case";
import { hasIt } from "../alarm/AckButton";
import { caseTitle } from "../alarm/words";
import { clock, counted, dayAndClock } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { spaced } from "../cases/codes";
import { Contacts } from "../cases/Contacts";
import { LiftSays } from "../cases/LiftSays";
import { Photos } from "../cases/Photos";
import { word as caseWord } from "../cases/texts";
import { CAUSES, OUTCOMES } from "../generated/cases";
import { useIncidents, useLift } from "../world/store";
import { Actions, useForms } from "./Actions";
import { Comfort } from "./Comfort";
import { Ladder } from "./Ladder";
import { inWords } from "./persons";
import { leftToDo, lookOf, nextClock, ofAreas } from "./Queue";
import { word } from "./texts";
import { Timeline } from "./Timeline";
import { useResponsible } from "./responsible";
import { waited } from "./waited";

export function CaseView({ one, now }: { one: Case; now: number }) {
  const lang = useLang();
  const forms = useForms(one);
  return (
    <>
      <section className={`case case-${one.closed_at_ms !== null ? "closed" : lookOf(one)}`} aria-label={caseWord("number", lang, { number: one.number })}>
        <Head one={one} now={now} lang={lang} />
        {one.lift && <LiftSays id={one.lift} />}
        <Actions one={one} forms={forms} />
        <Contacts key={one.id} id={one.id} />
        <Photos one={one} />
      </section>
      {one.kind !== "gateway_silent" && <Ladder one={one} now={now} forms={forms} />}
      <div className="case-below">
        <Comfort one={one} now={now} forms={forms} />
        <Timeline one={one} />
      </div>
      {forms.dialog}
    </>
  );
}

function Head({ one, now, lang }: { one: Case; now: number; lang: Lang }) {
  const incidents = useIncidents();
  const lift = useLift(one.lift);
  const who = useResponsible(one.lift);
  const look = one.closed_at_ms !== null ? "closed" : lookOf(one);
  const symbol = { new: "▲", danger: "▲", fault: "◆", shelved: "‖", released: "✓", closed: "✓" }[look];
  const name = one.kind === "gateway_silent" ? one.gateway : lift?.name || one.lift_name;
  const where = [...new Set([lift?.address || lift?.site, one.place])].filter((part) => part && part !== name);
  const timed = one.phase !== "open" ? "waiting_follow_up" : one.kind === "trapped" ? "waiting_trapped" : "waiting_other";
  return (
    <>
      <p className="case-kind">
        <b className={`case-badge badge-${look}`}>
          {symbol} {caseTitle(one, incidents, lang)}
        </b>{" "}
        {caseWord("number", lang, { number: one.number })} · {caseWord(`phase_${one.phase}`, lang)} · {word(`source_${one.source}`, lang)}
      </p>
      <div className="case-head">
        <p className="case-code figures">
          <span className="visually-hidden">{word("code", lang)} </span>
          {one.kind === "gateway_silent" ? <small>{name}</small> : one.rescue_code ? spaced(one.rescue_code) : <small>{word("noLiftYet", lang)}</small>}
        </p>
        <div className="case-time">
          <small>{word(timed, lang)}</small>
          <b className="figures">{counted(waited(one, now))}</b>
          <small>
            {word("since", lang, { time: dayAndClock(one.since_ms, lang) })} · {inWords(one, lang)}
          </small>
        </div>
      </div>
      <p className="case-where">
        <b>{name}</b> {where.join(" · ")}
        {who.contractor && ` · ${word("contractor", lang)} ${who.contractor}`}
        {who.manager && ` · ${word("manager", lang)} ${who.manager}`}
        {one.areas.length > 0 && ` · ${ofAreas(one, incidents, lang)}`}
        {one.caller?.name && ` · ${word("caller", lang)} ${one.caller.name}`}
      </p>
      <State one={one} now={now} lang={lang} />
    </>
  );
}

/** Who has it, what the next clock is, and what came of it. */
function State({ one, now, lang }: { one: Case; now: number; lang: Lang }) {
  const next = one.closed_at_ms === null ? nextClock(one, now, lang) : null;
  const end = one.end_of_alarm;
  const parts: string[] = [];
  if (one.closed_at_ms !== null) parts.push(word("closedAt", lang, { time: dayAndClock(one.closed_at_ms, lang) }));
  else parts.push(hasIt(one, lang) ?? word("unack", lang));
  if (one.phase === "follow_up") parts.push(leftToDo(one, lang));
  if (!one.active && one.incidents.length > 0 && one.phase === "open") parts.push(word("cleared", lang));
  if (one.shelved) parts.push(word("shelved", lang, { time: clock(one.shelved.until_ms, lang) }), one.shelved.reason);
  if (one.outcome) parts.push(OUTCOMES[one.outcome as keyof typeof OUTCOMES]?.[lang] ?? one.outcome);
  if (one.cause) parts.push(CAUSES[one.cause as keyof typeof CAUSES]?.[lang] ?? one.cause);
  if (end) parts.push(end.told_at_ms !== null ? word("carTold", lang, { time: clock(end.told_at_ms, lang) }) : end.over ? word("carNotTold", lang, { detail: end.detail }) : word("carAsked", lang, { tries: end.tries }));
  if (one.call_back) parts.push(one.call_back.done ? word("calledBack", lang, { time: clock(one.call_back.at_ms, lang) }) : word("notCalledBack", lang, { note: one.call_back.note }));
  return (
    <p className="case-state">
      {parts.join(" · ")}
      {next && <b className={next.isOver ? "over" : ""}> · {next.text}</b>}
    </p>
  );
}
