// What was recorded of one lift: charts over one axis of time, the same as a table, any part down to single records.
import { useEffect, useMemo, useRef, useState } from "react";
import { call, problemText } from "../api/client";
import { age, dayAndClock, number } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { useQuery } from "../app/router";
import { serverNow } from "../app/time";
import type { History, Incident as ApiIncident } from "../generated/api";
import { ENUMS, FIELDS } from "../generated/contract";
import { shaftOf, type Shaft } from "../shaft/geometry";
import type { Lift } from "../world/model";
import { Chart, type Band } from "./Chart";
import { Lanes } from "./Lanes";
import { RANGES, showLive, showPart, useRange, type RangeName } from "./range";
import { aligned, type Point, type Series } from "./series";
import { word } from "./texts";
import { written, type Field } from "./values";

const CAR: readonly Field[] = ["position_mm", "floor", "speed_mm_s", "load_permille"];
const DOORS: readonly Field[] = ["door_1", "door_2"];
const SIGNALS: readonly Field[] = ["passenger", "door_zone", "door_lock", "safety_circuit", "mains", "button", "light_curtain", "overload", "controller_link"];
const ALL = [...CAR, ...DOORS, ...SIGNALS];
// As long as this every record is asked for; of longer times a chart's worth.
const RAW_MS = 2 * 3_600_000;
const POINTS = 700;
const AGAIN_MS = 5000;
const ROWS = 300;

interface Found {
  history: History;
  fromMs: number;
  toMs: number;
}

/** The records of the range, again and again while it reaches up to now. */
function useHistory(lift: string): { found: Found | null; problem: unknown; busy: boolean } {
  const { fixed, lengthMs } = useRange();
  const [source] = useQuery("source", "local");
  const [state, setState] = useState<{ found: Found | null; problem: unknown; busy: boolean }>({ found: null, problem: null, busy: true });
  const [fromMs, toMs] = fixed ? [fixed.fromMs, fixed.toMs] : [0, 0];
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async () => {
      const to = fixed ? toMs : Math.round(serverNow());
      const from = fixed ? fromMs : to - lengthMs;
      const query = new URLSearchParams({ from: String(from), to: String(to), fields: ALL.join(","), source });
      if (lengthMs > RAW_MS) query.set("points", String(POINTS));
      try {
        const history = await call<History>(`/api/v1/lifts/${encodeURIComponent(lift)}/history?${query}`, { signal: stop.signal });
        setState({ found: { history, fromMs: from, toMs: to }, problem: null, busy: false });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((was) => ({ ...was, problem: error, busy: false }));
      }
      // A month is not read anew each 5 s.
      if (!fixed) timer = setTimeout(() => void load(), Math.max(AGAIN_MS, lengthMs / 200));
    };
    setState((was) => ({ ...was, busy: true }));
    void load();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [lift, fromMs, toMs, lengthMs, source, fixed === null]);
  return state;
}

/** Events of the lift as bands behind the charts. */
function useBands(lift: string, found: Found | null): Band[] {
  const [incidents, setIncidents] = useState<ApiIncident[]>([]);
  const until = found?.toMs ?? 0;
  const hour = Math.floor(until / 3_600_000);
  useEffect(() => {
    if (!until) return;
    let gone = false;
    void call<ApiIncident[]>(`/api/v1/incidents?lift=${encodeURIComponent(lift)}&before_ms=${until + 60_000}&limit=100`)
      .then((all) => !gone && setIncidents(all))
      .catch(() => undefined); // the charts are there without them
    return () => void (gone = true);
  }, [lift, hour]); // not each few seconds
  return useMemo(
    () =>
      incidents
        .filter((one) => one.severity >= 2 && !one.withheld)
        .map((one) => ({ fromS: (one.opened_at_ms ?? one.stages.received) / 1000, toS: (one.closed_at_ms ?? Date.now()) / 1000, severity: one.severity })),
    [incidents],
  );
}

const rangeText = (name: RangeName, lang: Lang): string =>
  word(name.endsWith("m") ? "minutes" : name.endsWith("h") ? "hours" : "days", lang, { count: name.slice(0, -1) });

function Controls({ busy }: { busy: boolean }) {
  const lang = useLang();
  const range = useRange();
  const [source, setSource] = useQuery("source", "local");
  const [as, setAs] = useQuery("as", "chart");
  const now = serverNow();
  const [from, to] = range.fixed ? [range.fixed.fromMs, range.fixed.toMs] : [now - range.lengthMs, now];
  const length = to - from;
  return (
    <div className="history-controls">
      <div className="ranges" role="group" aria-label={word("range", lang)}>
        {RANGES.map((name) => (
          <button key={name} className="chip" aria-pressed={!range.fixed && range.name === name} onClick={() => showLive(name)}>
            {rangeText(name, lang)}
          </button>
        ))}
      </div>
      <div className="ranges">
        <button className="chip" aria-label={word("earlier", lang)} title={word("earlier", lang)} onClick={() => showPart(from - length / 2, to - length / 2)}>
          ←
        </button>
        <button className="chip" aria-label={word("zoomIn", lang)} title={word("zoomIn", lang)} onClick={() => showPart(from + length / 4, to - length / 4)}>
          +
        </button>
        <button className="chip" aria-label={word("zoomOut", lang)} title={word("zoomOut", lang)} onClick={() => showPart(from - length / 2, to + length / 2)}>
          −
        </button>
        <button className="chip" aria-label={word("later", lang)} title={word("later", lang)} disabled={!range.fixed} onClick={() => showPart(from + length / 2, to + length / 2)}>
          →
        </button>
        {range.fixed && (
          <>
            <button className="chip" onClick={() => history.back()}>
              {word("zoomBack", lang)}
            </button>
            <button className="chip" onClick={() => showLive(range.name)}>
              {word("live", lang)}
            </button>
          </>
        )}
      </div>
      <label className="choose">
        <span>{word("source", lang)}</span>
        <select value={source} onChange={(event) => setSource(event.target.value)}>
          {(["local", "influx"] as const).map((name) => (
            <option key={name} value={name}>
              {word(`source_${name}`, lang)}
            </option>
          ))}
        </select>
      </label>
      <div className="ranges" role="group" aria-label={word("history", lang)}>
        {(["chart", "table"] as const).map((name) => (
          <button key={name} className="chip" aria-pressed={as === name} onClick={() => setAs(name)}>
            {word(name === "chart" ? "asChart" : "asTable", lang)}
          </button>
        ))}
      </div>
      {busy && <span className="empty">{word("loading", lang)}</span>}
    </div>
  );
}

export function HistoryTab({ lift }: { lift: Lift }) {
  const lang = useLang();
  const [as] = useQuery("as", "chart");
  const { found, problem, busy } = useHistory(lift.id);
  const bands = useBands(lift.id, found);
  const shaft = shaftOf(lift);
  const isEmpty = found !== null && Object.values(found.history.fields).every((points) => points.length === 0) && Object.keys(found.history.before).length === 0;
  const { step_ms, truncated, gaps } = found?.history ?? { step_ms: 1, truncated: false, gaps: [] };
  return (
    <section className="history" aria-label={word("history", lang)}>
      <Controls busy={busy} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problemText(problem, lang)}
        </p>
      )}
      {found && (
        <p className="empty figures">
          {dayAndClock(found.fromMs, lang)} – {dayAndClock(found.toMs, lang)}
          {step_ms > 1 && <> · {word("reduced", lang, { step: age(step_ms, lang) })}</>}
          {truncated && <> · {word("truncated", lang)}</>}
          {gaps.length > 0 && <> · {word("gapsTold", lang, { count: gaps.length })}</>}
        </p>
      )}
      {isEmpty && <p className="nothing">{word("noHistory", lang)}</p>}
      {found && !isEmpty && (as === "table" ? <Table found={found} shaft={shaft} /> : <Charts found={found} shaft={shaft} rated={lift.rated_speed_mm_s} bands={bands} />)}
    </section>
  );
}

const ease = (column: (number | null)[], by: number): (number | null)[] => column.map((value) => (value === null ? null : value / by));

function Charts({ found, shaft, rated, bands }: { found: Found; shaft: Shaft; rated: number; bands: readonly Band[] }) {
  const lang = useLang();
  const { history, fromMs, toMs } = found;
  const data = useMemo(() => {
    const of = (names: readonly Field[]) => aligned(history.fields as Series, history.before as Record<string, Point>, names, fromMs, toMs, history.step_ms);
    const [carTimes, position, floor, speed, load] = of(CAR) as [number[], (number | null)[], (number | null)[], (number | null)[], (number | null)[]];
    const levels = floor.map((value) => (value === null ? null : (shaft.levels[value - 1] ?? null)));
    return {
      place: [carTimes, ease(position, 1000), ease(levels, 1000)] as [number[], (number | null)[], (number | null)[]],
      speed: [carTimes, ease(speed, 1000)] as [number[], (number | null)[]],
      load: [carTimes, ease(load, 10)] as [number[], (number | null)[]],
      doors: of(DOORS),
      signals: of(SIGNALS),
    };
  }, [history, fromMs, toMs, shaft]);
  // A wheel turns many times for one look: only the last of them is asked for.
  const wanted = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const onRange = (fromS: number, toS: number) => {
    clearTimeout(wanted.current);
    wanted.current = setTimeout(() => showPart(fromS * 1000, toS * 1000), 150);
  };
  const has = (column: readonly (number | null)[] | undefined) => column?.some((value) => value !== null) ?? false;
  const common = { bands, onRange };
  const doorNames = Object.entries(ENUMS.door).flatMap(([value, name]) => (value === "0" ? [] : [[Number(value), name[lang]] as const]));
  return (
    <div className="charts">
      <p className="empty">{word("chartHint", lang)}</p>
      <h3>{word("height", lang)}</h3>
      <Chart
        {...common}
        label={`${word("height", lang)}, ${word("stop", lang)}`}
        lines={[
          { label: word("height", lang), colour: "work", sloped: true },
          { label: word("stop", lang), colour: "car" },
        ]}
        data={data.place}
        low={0}
        high={null}
        height={200}
      />
      <h3>{word("speed", lang)}</h3>
      <Chart {...common} label={word("speed", lang)} lines={[{ label: word("speed", lang), colour: "work" }]} data={data.speed} low={0} high={(rated / 1000) * 1.4} height={130} />
      <h3>{word("doors", lang)}</h3>
      <Chart
        {...common}
        label={word("doors", lang)}
        lines={DOORS.filter((_, at) => has(data.doors[at + 1] as (number | null)[])).map((name, at) => ({ label: FIELDS[name][lang], colour: at === 0 ? "fault" : "good" }))}
        data={[data.doors[0], ...data.doors.slice(1).filter((column) => has(column as (number | null)[]))] as [number[], ...(number | null)[][]]}
        low={0}
        high={6.5}
        height={150}
        names={doorNames}
      />
      {has(data.load[1]) && (
        <>
          <h3>{word("load", lang)}</h3>
          <Chart {...common} label={word("load", lang)} lines={[{ label: word("load", lang), colour: "good" }]} data={data.load} low={0} high={null} height={110} />
        </>
      )}
      <h3>{word("switches", lang)}</h3>
      <Lanes names={SIGNALS} data={data.signals} fromS={fromMs / 1000} toS={toMs / 1000} lang={lang} label={word("switches", lang)} />
    </div>
  );
}

/** The same as a table: the newest records, one row for each time. */
function Table({ found, shaft }: { found: Found; shaft: Shaft }) {
  const lang = useLang();
  const rows = useMemo(() => {
    const byTime = new Map<number, Partial<Record<Field, Point[1]>>>();
    for (const name of ALL)
      for (const [t, value] of (found.history.fields as Series)[name] ?? []) {
        const row = byTime.get(t) ?? {};
        row[name] = value;
        byTime.set(t, row);
      }
    return [...byTime].sort((a, b) => b[0] - a[0]).slice(0, ROWS);
  }, [found]);
  const columns = ALL.filter((name) => rows.some(([, row]) => name in row));
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={word("history", lang)}>
      <table className="records">
        <caption>{word("rows", lang, { count: number(rows.length, lang) })}</caption>
        <thead>
          <tr>
            <th scope="col">{word("time", lang)}</th>
            {columns.map((name) => (
              <th key={name} scope="col">
                {FIELDS[name][lang]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([t, row]) => (
            <tr key={t}>
              <th scope="row" className="figures">
                {dayAndClock(t, lang)}.{String(t % 1000).padStart(3, "0")}
              </th>
              {columns.map((name) => (
                <td key={name} className="figures">
                  {name in row ? written(name, row[name]!, shaft, lang) : ""}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
