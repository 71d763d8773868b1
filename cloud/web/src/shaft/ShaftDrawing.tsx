// A shaft to scale with its car: doors as leaves, somebody in it, where it hangs. Used small in strips and large on the lift's page and at the desk.
import { memo } from "react";
import type { State, Trouble } from "../world/model";
import { hangs, heightOf, opening, type Shaft } from "./geometry";
import "./shaft.css";

export interface View {
  /** What is shown of the shaft, mm over the lowest stop. */
  fromMm: number;
  toMm: number;
  width: number;
  height: number;
  /** Room at the left for the names of the stops; 0 = no names. */
  labels: number;
}

const MARGIN = 6;
// A name needs so much room over the next one.
const LABEL_PX = 13;

/** The whole shaft. */
export const wholeOf = (shaft: Shaft, width: number, height: number, labels = 24): View => ({
  fromMm: -shaft.carMm * 0.12, toMm: shaft.topMm, width, height, labels,
});

/** A storey or two round the car. */
export function zoomOf(shaft: Shaft, sillMm: number, width: number, height: number, labels = 34): View {
  const half = shaft.carMm * 1.5;
  const middle = sillMm + shaft.carMm / 2;
  return { fromMm: middle - half, toMm: middle + half, width, height, labels };
}

const yOf = (view: View, mm: number): number =>
  MARGIN + (view.height - 2 * MARGIN) * (1 - (mm - view.fromMm) / (view.toMm - view.fromMm));

/** The stops; drawn once for a shaft. */
const Stops = memo(function Stops({ shaft, view }: { shaft: Shaft; view: View }) {
  const shown = shaft.levels.map((mm, at) => ({ mm, name: shaft.names[at]!, y: yOf(view, mm) })).filter(({ y }) => y > 0 && y <= view.height);
  let last = Infinity;
  const spaced = new Set<string>();
  for (const { name, y } of shown) {
    if (last - y < LABEL_PX) continue;
    spaced.add(name);
    last = y;
  }
  return (
    <g className="stops">
      {shown.map(({ name, y }) => (
        <g key={name}>
          <line x1={view.labels - 5} x2={view.width} y1={y} y2={y} />
          {view.labels > 0 && spaced.has(name) && (
            <text x={view.labels - 8} y={y}>
              {name}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}, (a, b) => a.shaft === b.shaft && a.view.fromMm === b.view.fromMm && a.view.toMm === b.view.toMm && a.view.width === b.view.width && a.view.height === b.view.height);

interface Props {
  shaft: Shaft;
  view: View;
  state: State;
  kind: Trouble;
  /** Not current: hatched, the car as a ghost. */
  gone: boolean;
  /** Show by how much the car hangs over a stop. */
  offset?: string | null;
  /** A part of the shaft that another drawing shows. */
  frame?: View | null;
}

export function ShaftDrawing({ shaft, view, state, kind, gone, offset = null, frame = null }: Props) {
  const { width, height, labels } = view;
  const sill = heightOf(state, shaft);
  const hung = offset ? hangs(state, shaft) : null;
  const level = hung && state.position_mm !== null ? state.position_mm - hung.overMm : null;
  return (
    <svg className={`shaft-drawing${gone ? " shaft-gone" : ""}`} viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      <rect x={labels} y={1} width={width - labels - 1} height={height - 2} className="shaft" />
      <Stops shaft={shaft} view={view} />
      {gone && <Hatch x={labels} width={width - labels - 1} height={height} />}
      {sill !== null && <Car shaft={shaft} view={view} state={state} kind={kind} gone={gone} sill={sill} />}
      {frame && (
        <rect className="frame" x={labels - 2} width={width - labels + 2} y={yOf(view, frame.toMm)} height={yOf(view, frame.fromMm) - yOf(view, frame.toMm)} />
      )}
      {level !== null && sill !== null && (
        <g className="offset">
          <path d={`M${labels + 6} ${yOf(view, level)} V${yOf(view, sill)} m-4 0 h8 M${labels + 2} ${yOf(view, level)} h8`} />
          <text x={labels + 14} y={(yOf(view, level) + yOf(view, sill)) / 2 + 5}>
            {offset}
          </text>
        </g>
      )}
    </svg>
  );
}

function Hatch({ x, width, height }: { x: number; width: number; height: number }) {
  const lines: string[] = [];
  for (let at = -height; at < width; at += 9) {
    const from = Math.max(0, at);
    const to = Math.min(width, at + height);
    lines.push(`M${x + from} ${from - at} L${x + to} ${to - at}`);
  }
  return <path className="hatch" d={lines.join("")} />;
}

function Car({ shaft, view, state, kind, gone, sill }: Omit<Props, "offset" | "frame"> & { sill: number }) {
  const inset = (view.width - view.labels) * 0.1;
  const x = view.labels + inset;
  const width = view.width - view.labels - 2 * inset - 1;
  const y = yOf(view, sill + shaft.carMm);
  const height = yOf(view, sill) - y;
  const free = opening(state.doors[0]);
  const leaf = (width / 2) * (1 - 0.86 * (free ?? 0));
  const moving = state.doors[0] === 1 || state.doors[0] === 3;
  const middle = y + height / 2;
  const size = Math.min(height * 0.28, width * 0.2);
  const outwards = state.doors[0] === 3 ? -1 : 1;
  return (
    <g className={gone ? `car ghost car-${kind}` : `car car-${kind}`}>
      <rect x={x} y={y} width={width} height={height} className="cabin" />
      {free !== null && (
        <>
          <rect x={x} y={y} width={leaf} height={height} className="leaf" />
          <rect x={x + width - leaf} y={y} width={leaf} height={height} className="leaf" />
        </>
      )}
      {state.passenger && (
        <g className="person" transform={`translate(${x + width / 2}, ${middle})`}>
          <circle cy={-height * 0.22} r={size * 0.55} />
          <rect x={-size * 0.6} y={-height * 0.22 + size * 0.7} width={size * 1.2} height={height * 0.36} rx={size * 0.3} />
        </g>
      )}
      {moving && !gone && width > 24 && (
        <path
          className="door-arrows"
          d={[-1, 1].map((side) => `M${x + width / 2 + side * width * 0.34} ${middle - size} l${side * outwards * -size * 0.9} ${size} l${-side * outwards * -size * 0.9} ${size}`).join("")}
        />
      )}
    </g>
  );
}
