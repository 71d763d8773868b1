// The ladder whole: three levels, each with its one clock, who it is, how far they are, and when the next one is called.
import type { Case, Leg } from "../api/case";
import { clock, counted } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { levelsOf } from "../cases/allowed";
import { word as caseWord, type Word as CaseWord } from "../cases/texts";
import type { Forms } from "./Actions";
import { clockOf, gone, nextLevel, remindersOf } from "./ladder";
import { word, type Word } from "./texts";

const NUMBER = "119";

export function Ladder({ one, now, forms }: { one: Case; now: number; forms: Forms }) {
  const lang = useLang();
  return (
    <section className="ladder" aria-label={word("ladder", lang)}>
      {one.legs.map((leg) => (
        <Rung key={leg.level} one={one} leg={leg} now={now} forms={forms} lang={lang} />
      ))}
    </section>
  );
}

function Rung({ one, leg, now, forms, lang }: { one: Case; leg: Leg; now: number; forms: Forms; lang: Lang }) {
  const running = clockOf(leg);
  const left = running ? running.dueMs - now : null;
  const reminders = running?.name === "call" ? remindersOf(one, leg) : 0;
  const isOver = left !== null && (left < 0 || reminders > 0);
  const isDone = ["released", "refused", "stood_down"].includes(leg.state);
  const toCall = leg.state === "ordered" && leg.organisation === null;
  const look = isOver ? "over" : leg.state === "standby" ? "standby" : isDone ? "done" : "running";
  const above = nextLevel(one, leg);
  // A reminder sets the clock of a telephone call anew: what counts is how long it has waited.
  const overBy = running?.name === "call" ? now - running.fromMs : -(left ?? 0);
  return (
    <article className={`rung rung-${look}`} aria-label={caseWord(`level_${leg.level}` as CaseWord, lang)}>
      <h3>{caseWord(`level_${leg.level}` as CaseWord, lang)}</h3>
      <p className="rung-who">
        {leg.organisation ?? (leg.level === 3 ? NUMBER : leg.state === "standby" ? "" : word("toCall", lang))}
        {leg.responder && ` · ${leg.responder}`}
      </p>
      <p className="rung-state">
        <b>{caseWord(`leg_${leg.state}`, lang)}</b>
        {left !== null && <b className="rung-left figures">{isOver ? word("overdue", lang, { time: counted(overBy) }) : counted(left)}</b>}
      </p>
      <div className="bar" role="presentation">
        {running && <span style={{ width: `${Math.round(gone(running, now) * 100)}%` }} />}
      </div>
      <div className="rung-notes">
        {running && (
          <p>
            {word("clockRuns", lang, { clock: word(`clock_${running.name}`, lang) })} {clock(running.dueMs, lang)}
          </p>
        )}
        {toCall && <p className="must">{word("mustCall", lang, { number: leg.level === 3 ? NUMBER : caseWord("level_2", lang) })}{reminders > 0 && ` · ${word("overdueAck", lang, { count: reminders })}`}</p>}
        {leg.eta_ms !== null && leg.state === "on_the_way" && (
          <p>{leg.eta_ms > now ? word("etaAt", lang, { time: clock(leg.eta_ms, lang), left: counted(leg.eta_ms - now) }) : word("etaOver", lang, { time: clock(leg.eta_ms, lang) })}</p>
        )}
        {leg.missed.length > 0 && <p className="over">{word("missed", lang, { clocks: leg.missed.map((name) => word(`clock_${name}` as Word, lang)).join(caseWord("comma", lang)) })}</p>}
        {running && above !== null && running.name !== "call" && !isOver && <p>{word("escalates", lang, { time: clock(running.dueMs, lang), clock: word(`clock_${running.name}`, lang), level: above })}</p>}
      </div>
      <Said one={one} leg={leg} forms={forms} lang={lang} />
    </article>
  );
}

/** What the desk says for a level that tells it by telephone. */
function Said({ one, leg, forms, lang }: { one: Case; leg: Leg; forms: Forms; lang: Lang }) {
  const { level } = leg;
  const can = (step: string) => levelsOf(one, step).includes(level);
  const { busy, run, ask } = forms;
  const call = level === 3 ? ("called_119" as const) : ("called_station" as const);
  const calls = level !== 1 && can(call);
  if (!["accept", "on_the_way", "arrived", "refuse", "stand_down", "mended"].some(can) && !calls) return null;
  return (
    <div className="buttons rung-buttons">
      {calls && (
        <button className="button button-danger" aria-haspopup="dialog" onClick={() => ask({ form: call, level })}>
          {word(call, lang)}
        </button>
      )}
      {can("accept") && (
        <button className="button" disabled={busy} onClick={() => void run("accept", { level })}>
          {word("accept", lang)}
        </button>
      )}
      {can("on_the_way") && leg.state !== "ordered" && (
        <button className="button" aria-haspopup="dialog" onClick={() => ask({ form: "on_the_way", level })}>
          {word("onTheWay", lang)}
        </button>
      )}
      {can("arrived") && leg.state !== "ordered" && (
        <button className="button" disabled={busy} onClick={() => void run("arrived", { level })}>
          {word("arrived", lang)}
        </button>
      )}
      {can("mended") && (
        <button className="button" aria-haspopup="dialog" onClick={() => ask({ form: "mended", level })}>
          {word("mended", lang)}
        </button>
      )}
      {can("refuse") && (
        <button className="button" aria-haspopup="dialog" onClick={() => ask({ form: "refuse", level })}>
          {word("refuse", lang)}
        </button>
      )}
      {can("stand_down") && (
        <button className="button" disabled={busy} onClick={() => void run("stand_down", { level })}>
          {word("standDown", lang)}
        </button>
      )}
    </div>
  );
}
