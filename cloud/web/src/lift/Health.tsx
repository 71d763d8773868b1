// The health of one lift: a score with its parts, each with its mark, what it was at first and where it goes. Never a bare number.
import { useEffect, useRef, useState } from "react";
import "./health.css";
import uPlot from "uplot";
import { figure, series, weekly, type Day, type Health as Found, type Level, type Part, type Trend, type Usage } from "./health";
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import type { Lift } from "../world/model";
import { useColours } from "./Chart";
import { word } from "./healthTexts";

const AGAIN_MS = 30_000;
const SYMBOLS: Record<Level, string> = { good: "✓", watch: "◆", act: "▲" };
const ARROWS = { worse: "↗", better: "↘", steady: "→", more: "↗", less: "↘" } as const;

/** A small line of a part's days; the days without a figure are holes. */
function Line({ days, part, lang }: { days: Day[]; part: Part; lang: Lang }) {
  const place = useRef<HTMLDivElement>(null);
  const [times, values] = series(days, part.name);
  const known = values.filter((value) => value !== null);
  const colour = useColours();
  const ink = colour("text");
  useEffect(() => {
    if (!place.current || known.length < 2) return;
    const limit = part.limits.good;
    const top = Math.max(limit, ...known) * 1.05 || 1;
    const plot = new uPlot(
      {
        width: place.current.clientWidth || 120,
        height: 34,
        padding: [3, 3, 3, 3],
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false }, y: { range: [0, top] } },
        axes: [{ show: false }, { show: false }],
        series: [
          {},
          { stroke: colour("text"), width: 1.5, points: { show: false } },
          { stroke: colour("edge"), width: 1, dash: [3, 3], points: { show: false } },
        ],
      },
      [times, values, times.map(() => limit)],
      place.current,
    );
    return () => plot.destroy();
  }, [days, part.name, part.limits.good, ink]);
  if (known.length < 2) return null;
  const label = `${part.title[lang]}: ${known.length} ${word("daysOfLine", lang)}, ${figure(Math.min(...known), part.unit, lang)} … ${figure(Math.max(...known), part.unit, lang)}`;
  return <div className="line" ref={place} role="img" aria-label={label} />;
}

function Course({ trend, unit, lang }: { trend: Trend | null; unit: string; lang: Lang }) {
  const text = weekly(trend, unit, lang);
  if (trend === null || text === null) return <>{word("noTrend", lang)}</>;
  const steady = trend.direction === "steady";
  return (
    <span className={trend.direction === "worse" ? "course-worse" : ""}>
      <span aria-hidden="true">{ARROWS[trend.direction]}</span> {word(`course_${trend.direction}`, lang)}
      {!steady && `, ${text}`} <small>({trend.days} {word("days", lang)})</small>
      {trend.weeks_to_bad !== null && <small> · {word("badIn", lang).replace("{weeks}", String(trend.weeks_to_bad))}</small>}
    </span>
  );
}

/** The mark in words, as a number and as a bar: never by its colour alone. */
function Mark({ mark, level, lang }: { mark: number | null; level: Level | null; lang: Lang }) {
  if (mark === null || level === null) return <span className="mark mark-none">? {word("notKnown", lang)}</span>;
  return (
    <span className={`mark mark-${level}`}>
      <span aria-hidden="true">{SYMBOLS[level]}</span> <b>{mark}</b> {word(`level_${level}`, lang)}
      <span className="bar" aria-hidden="true">
        <span style={{ width: `${mark}%` }} />
      </span>
    </span>
  );
}

function Limits({ part, lang }: { part: Part; lang: Lang }) {
  const { good, bad, good_ratio, bad_ratio } = part.limits;
  const own = good_ratio === null || bad_ratio === null ? "" : word("ownLimits", lang).replace("{good}", `${good_ratio}`).replace("{bad}", `${bad_ratio}`);
  return (
    <small>
      {word("limits", lang).replace("{good}", figure(good, part.unit, lang)).replace("{bad}", figure(bad, part.unit, lang))}
      {own}
      {word("weight", lang)} {part.weight}.
    </small>
  );
}

function Row({ part, days, lang }: { part: Part; days: Day[]; lang: Lang }) {
  const isKnown = part.value !== null;
  const isDue = part.level === "watch" || part.level === "act";
  return (
    <tr className={isKnown ? "" : "row-none"}>
      <th scope="row">
        <details>
          <summary>{part.title[lang]}</summary>
          <p>{part.meaning[lang]}</p>
          {!isDue && (
            <p>
              <b>{word("whatToDo", lang)}</b> {part.action[lang]}
            </p>
          )}
          <Limits part={part} lang={lang} />
        </details>
        {isDue && <p className="action">{part.action[lang]}</p>}
      </th>
      <td data-head={word("mark", lang)}>
        <Mark mark={part.mark} level={part.level} lang={lang} />
      </td>
      {isKnown ? (
        <>
          <td className="figures" data-head={word("value", lang)}>
            <b>{figure(part.value, part.unit, lang)}</b>
            {part.spread !== null && <small> ± {figure(part.spread / 2, part.unit, lang)}</small>}
          </td>
          <td className="figures" data-head={word("firstWeeks", lang)}>
            {part.baseline !== null ? figure(part.baseline, part.unit, lang) : part.baseline_days > 0 ? `${part.baseline_days} / 14 ${word("days", lang)}` : "–"}
          </td>
          <td data-head={word("course", lang)}>
            <Line days={days} part={part} lang={lang} />
            <Course trend={part.trend} unit={part.unit} lang={lang} />
          </td>
        </>
      ) : (
        <td colSpan={3} data-head={word("whyUnknown", lang)}>
          {part.reason?.[lang] ?? "–"}
        </td>
      )}
    </tr>
  );
}

function Use({ used, today, lang }: { used: Usage; today: number | undefined; lang: Lang }) {
  const course = used.trend !== null && used.trend.direction !== "steady" ? weekly(used.trend, used.unit, lang) : null;
  return (
    <li>
      <span>{used.title[lang]}</span>
      <b>{used.per_day === null ? word("notKnown", lang) : `${figure(used.per_day, used.unit, lang)} ${word("aDay", lang)}`}</b>
      <small>
        {today !== undefined && `${word("today", lang)} ${figure(today, used.unit, lang)}. `}
        {used.baseline !== null && `${word("firstWeeks", lang)} ${figure(used.baseline, used.unit, lang)}. `}
        {course !== null && `${course}. `}
        {used.total !== null && `${word("sinceEver", lang)} ${figure(used.total, used.unit, lang)}`}
      </small>
    </li>
  );
}

function Whole({ found, lang }: { found: Found; lang: Lang }) {
  const lowest = found.parts.find((part) => part.name === found.lowest);
  return (
    <div className={`whole whole-${found.level ?? "none"}`}>
      {found.score !== null && found.level !== null ? (
        <span className="score">
          <span aria-hidden="true">{SYMBOLS[found.level]}</span> {found.score} <small>{word(`level_${found.level}`, lang)}</small>
        </span>
      ) : (
        <span className="score">
          ? <small>{word("noScore", lang)}</small>
        </span>
      )}
      <span>
        {found.reason?.[lang]} {word("knownShare", lang).replace("{known}", String(found.known))}{" "}
        {lowest && lowest.mark !== null && lowest.mark < 80 && `${word("lowest", lang)} ${lowest.title[lang]} (${lowest.mark}).`}
        <br />
        <small>
          {(found.first === null ? word("noDays", lang) : word("daysSince", lang))
            .replace("{days}", String(found.days))
            .replace("{first}", found.first ?? "")}{" "}
          · {word("asOf", lang)} {found.date} {clock(found.at_ms, lang)}
        </small>
      </span>
    </div>
  );
}

export function Health({ lift, lang }: { lift: Lift; lang: Lang }) {
  const [found, setFound] = useState<Found | null>(null);
  const [days, setDays] = useState<Day[]>([]);
  const [note, setNote] = useState("");
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const answer = await fetch(`/api/v1/lifts/${lift.id}/health`);
      if (gone) return;
      if (!answer.ok) {
        setFound(null);
        setNote(word(answer.status === 404 ? "noHealthYet" : "healthFailed", lang));
        return;
      }
      setFound((await answer.json()) as Found);
      setNote("");
      const history = await fetch(`/api/v1/lifts/${lift.id}/health/days`);
      // Without its days a part has its figures all the same.
      if (!gone && history.ok) setDays(((await history.json()) as { days: Day[] }).days);
    };
    const again = () => void load().catch(() => setNote(word("healthFailed", lang)));
    again();
    const timer = setInterval(again, AGAIN_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [lift.id, lang]);
  const shown = found !== null && found.lift === lift.id ? found : null;
  return (
    <section className="health" aria-label={word("health", lang)}>
      <h2>
        {lift.name} <small>{word("health", lang)}</small>
      </h2>
      {note && <p className="empty">{note}</p>}
      {shown && (
        <>
          <Whole found={shown} lang={lang} />
          <table>
            <caption className="visually-hidden">{word("partsCaption", lang)}</caption>
            <thead>
              <tr>
                {(["part", "mark", "value", "firstWeeks", "course"] as const).map((name) => (
                  <th key={name} scope="col">
                    {word(name, lang)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.parts.map((part) => (
                <Row key={part.name} part={part} days={days} lang={lang} />
              ))}
            </tbody>
          </table>
          <h3>{word("usage", lang)}</h3>
          <ul className="use">
            {shown.usage.map((used) => (
              <Use key={used.name} used={used} today={shown.today[used.name]} lang={lang} />
            ))}
          </ul>
          <p className="empty">{word("oursNote", lang)}</p>
        </>
      )}
    </section>
  );
}
