// The black box of one incident: a minute before and after it, scrubbed on the same drawing of the shaft as is live.
import { useEffect, useMemo, useState } from "react";
import { ApiProblem, call, problemText } from "../api/client";
import { clock, number } from "../app/format";
import { useLang } from "../app/language";
import type { BlackBox as Found } from "../generated/api";
import { FIELDS } from "../generated/contract";
import { heightOf, shaftOf } from "../shaft/geometry";
import { ShaftDrawing, wholeOf, zoomOf } from "../shaft/ShaftDrawing";
import type { Lift, Trouble } from "../world/model";
import { Chart } from "./Chart";
import { placeText } from "./place";
import { aligned, spanOf, stateAt, valueAt, type Series } from "./series";
import { word } from "./texts";
import { FIELD_NAMES, written } from "./values";

const FRAME_MS = 100;
const PACES = [1, 4] as const;
const NEVER_SHOWN = new Set(["run_hours", "starts", "door_cycles"]);

export function BlackBox({ lift, incident, onClose }: { lift: Lift; incident: string; onClose: () => void }) {
  const lang = useLang();
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    setFound(null);
    setProblem(null);
    void call<Found>(`/api/v1/incidents/${encodeURIComponent(incident)}/black-box`, { signal: stop.signal })
      .then(setFound)
      .catch((error: unknown) => !stop.signal.aborted && setProblem(error));
    return () => stop.abort();
  }, [incident]);
  const isMissing = problem instanceof ApiProblem && problem.status === 404;
  return (
    <section className="black-box" aria-label={word("blackBox", lang)}>
      <h2>
        {word("blackBox", lang)} <small>{incident}</small>
        <button className="button" onClick={onClose}>
          {word("close", lang)}
        </button>
      </h2>
      {problem !== null && <p className="problem">{isMissing ? word("noBlackBox", lang) : problemText(problem, lang)}</p>}
      {found === null && problem === null && <p className="empty">{word("loading", lang)}</p>}
      {found && <Scrubbed lift={lift} found={found} />}
    </section>
  );
}

function Scrubbed({ lift, found }: { lift: Lift; found: Found }) {
  const lang = useLang();
  const shaft = shaftOf(lift);
  const series = found.fields as Series;
  const span = useMemo(() => spanOf(series), [series]);
  const [from, to] = span ?? [0, 0];
  const detected = found.detected_ms ?? to;
  const [at, setAt] = useState(detected);
  const [pace, setPace] = useState<(typeof PACES)[number]>(1);
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => setAt((was) => Math.min(to, was + FRAME_MS * pace)), FRAME_MS);
    return () => clearInterval(timer);
  }, [playing, pace, to]);
  useEffect(() => {
    if (at >= to) setPlaying(false);
  }, [at, to]);
  const state = useMemo(() => stateAt(series, at), [series, at]);
  const data = useMemo(() => {
    const [times, position, speed] = aligned(series, {}, ["position_mm", "speed_mm_s"], from, to, 1) as [number[], (number | null)[], (number | null)[]];
    const metres = (column: (number | null)[]) => column.map((value) => (value === null ? null : value / 1000));
    return [times, metres(position), metres(speed)] as [number[], (number | null)[], (number | null)[]];
  }, [series, from, to]);
  const bands = useMemo(
    () => (found.onset_ms !== null && found.detected_ms !== null ? [{ fromS: found.onset_ms / 1000, toS: found.detected_ms / 1000, severity: 4 }] : []),
    [found],
  );
  if (span === null) return <p className="empty">{word("noHistory", lang)}</p>;
  const sill = heightOf(state, shaft);
  const kind: Trouble = at >= detected ? "trapped" : "none";
  const offset = (at - detected) / 1000;
  const zoom = sill === null ? null : zoomOf(shaft, sill, 210, 300);
  const place = placeText(state, shaft, lang);
  return (
    <>
      {found.problems.length > 0 && (
        <p className="problem">
          {word("problems", lang)} {found.problems.join("; ")}
        </p>
      )}
      <div className="scrub">
        <button className="button" onClick={() => (at >= to ? (setAt(from), setPlaying(true)) : setPlaying(!playing))}>
          {word(playing ? "pause" : "play", lang)}
        </button>
        <input
          type="range"
          min={from}
          max={to}
          step={FRAME_MS}
          value={at}
          aria-label={word("time", lang)}
          aria-valuetext={`${clock(at, lang)}, ${place}`}
          onChange={(event) => {
            setPlaying(false);
            setAt(Number(event.target.value));
          }}
        />
        <label className="choose">
          <span>{word("pace", lang)}</span>
          <select value={pace} onChange={(event) => setPace(Number(event.target.value) as 1)}>
            {PACES.map((one) => (
              <option key={one} value={one}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <span className="figures scrub-time">
          <b>{clock(at, lang)}</b> {word(offset < 0 ? "beforeEvent" : "afterEvent", lang, { seconds: number(Math.abs(offset), lang, 1) })}
        </span>
      </div>
      <div className="box-body">
        <div className="shafts">
          <ShaftDrawing shaft={shaft} view={wholeOf(shaft, 70, 300)} state={state} kind={kind} gone={false} frame={zoom} />
          {zoom && <ShaftDrawing shaft={shaft} view={zoom} state={state} kind={kind} gone={false} offset={place} />}
          <p className="place">{place}</p>
        </div>
        <div className="box-charts">
          <Chart
            label={`${word("height", lang)}, ${word("speed", lang)}`}
            lines={[
              { label: word("height", lang), colour: "work", sloped: true },
              { label: word("speed", lang), colour: "good" },
            ]}
            data={data}
            low={0}
            high={null}
            height={170}
            bands={bands}
            marker={at / 1000}
          />
          <dl className="box-values">
            {FIELD_NAMES.filter((name) => series[name] && !NEVER_SHOWN.has(name)).map((name) => (
              <div key={name}>
                <dt>{FIELDS[name][lang]}</dt>
                <dd className="figures">{written(name, valueAt(series[name], at), shaft, lang)}</dd>
              </div>
            ))}
          </dl>
        </div>
      </div>
    </>
  );
}
