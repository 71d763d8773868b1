// One lift as a strip: a shaft to scale, its car, doors, direction, floor and age. Normal is grey; colour means trouble.
import { memo } from "react";
import { age, clock } from "../app/format";
import type { Lang } from "../app/language";
import { ENUMS } from "../generated/contract";
import { alarming, isGone, type Lift, type State, type Trouble } from "../world/model";
import { useTrouble, world } from "../world/store";
import { controllerFault, faultTitle } from "../world/words";
import { word } from "./texts";

const TOP = 14;
const HEIGHT = 190;
const CAR_WIDTH = 46;

/** Height of the car's floor above the lowest stop, in stops; position where known, else the floor. */
function heightInStops(state: State, stops: number): number | null {
  if (state.floor === null) return null;
  if (state.position_mm === null || state.door_zone) return state.floor - 1;
  return Math.max(0, Math.min(stops - 1, state.position_mm / 2900));
}

const doorOpening = (door: number | undefined): number =>
  door === 4 ? 0.86 : door === 1 || door === 3 ? 0.45 : door === 6 ? 0.25 : 0;

function Car({ state, stops, ghost, kind }: { state: State; stops: number; ghost: boolean; kind: Trouble }) {
  const height = heightInStops(state, stops);
  if (height === null) return null;
  const pitch = HEIGHT / stops;
  const carHeight = Math.min(34, pitch * 0.86);
  const y = TOP + HEIGHT - height * pitch - carHeight - (pitch - carHeight) / 2;
  const x = 44;
  const opening = doorOpening(state.doors[0]);
  const leaf = (CAR_WIDTH / 2) * (1 - opening);
  const moving = state.doors[0] === 1 || state.doors[0] === 3;
  return (
    <g className={ghost ? "car ghost" : `car car-${kind}`}>
      <rect x={x} y={y} width={CAR_WIDTH} height={carHeight} className="cabin" />
      <rect x={x} y={y} width={leaf} height={carHeight} className="leaf" />
      <rect x={x + CAR_WIDTH - leaf} y={y} width={leaf} height={carHeight} className="leaf" />
      {state.passenger && (
        <g className="person" transform={`translate(${x + CAR_WIDTH / 2}, ${y + carHeight / 2})`}>
          <circle cy={-carHeight * 0.24} r={carHeight * 0.15} />
          <rect x={-carHeight * 0.16} y={-carHeight * 0.06} width={carHeight * 0.32} height={carHeight * 0.46} rx={3} />
        </g>
      )}
      {moving && (
        <path
          className="door-arrows"
          d={
            state.doors[0] === 3
              ? `M${x + 12} ${y + carHeight / 2 - 4} l-6 4 l6 4 M${x + CAR_WIDTH - 12} ${y + carHeight / 2 - 4} l6 4 l-6 4`
              : `M${x + 6} ${y + carHeight / 2 - 4} l6 4 l-6 4 M${x + CAR_WIDTH - 6} ${y + carHeight / 2 - 4} l-6 4 l6 4`
          }
        />
      )}
    </g>
  );
}

function badge(lift: Lift, kind: Trouble, lang: Lang): string {
  if (kind === "trapped") {
    const fault = alarming(lift.state)[0] ?? world.trappedBy(lift.id);
    return fault ? faultTitle(fault, lang) : word("trapped", lang);
  }
  if (kind === "gone") return word(lift.quality, lang);
  if (kind === "work" && lift.state.work_mode) return word("atWork", lang);
  const worst = alarming(lift.state)[0];
  if (worst) return faultTitle(worst, lang);
  if (lift.quality === "bus_silent") return word("bus_silent", lang);
  if (lift.controller_fault) return controllerFault(lift.controller_fault, lang);
  const mode = lift.state.service_mode;
  return mode !== null && kind === "work" ? ENUMS.service_mode[String(mode) as "0"][lang] : "";
}

const SYMBOLS: Record<Trouble, string> = { trapped: "▲", fault: "◆", work: "⚒", gone: "?", none: "" };

export const ShaftStrip = memo(function ShaftStrip(props: {
  lift: Lift;
  lang: Lang;
  now: number;
  selected: boolean;
  onSelect: (id: string) => void;
}) {
  const { lift, lang, now, selected, onSelect } = props;
  const kind = useTrouble(lift.id);
  const gone = isGone(lift);
  const state = lift.state;
  const shown = gone && lift.last_known ? lift.last_known.state : state;
  const grown = Math.max(0, now - lift.seenAt);
  const pitch = HEIGHT / lift.stops;
  const arrow = gone ? "" : state.direction === 1 ? "▲" : state.direction === 2 ? "▼" : "";
  const text = badge(lift, kind, lang);
  const door = state.doors[0];
  const doorText = gone ? "" : door ? ENUMS.door[String(door) as "1"][lang] : word("unknown", lang);
  const between = !gone && state.door_zone === false && state.car_status === 0;
  const label = `${lift.name}, ${gone ? word(lift.quality, lang) : `${state.floor ?? "?"} ${word("floor", lang)}, ${doorText}`} ${text}`;
  return (
    <button className={`strip strip-${kind}${selected ? " selected" : ""}`} onClick={() => onSelect(lift.id)} aria-label={label}>
      <span className="strip-name">{lift.name}</span>
      <span className="strip-badge">{text && `${SYMBOLS[kind]} ${text}`}</span>
      <svg viewBox={`0 0 170 ${HEIGHT + 2 * TOP}`} aria-hidden="true">
        <defs>
          <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="3" height="7" className="hatch" />
          </pattern>
        </defs>
        <rect x={34} y={TOP} width={66} height={HEIGHT} className="shaft" />
        {Array.from({ length: lift.stops }, (_, index) => (
          <g key={index} className="tick">
            <line x1={28} x2={34} y1={TOP + HEIGHT - index * pitch} y2={TOP + HEIGHT - index * pitch} />
            <text x={24} y={TOP + HEIGHT - (index + 0.5) * pitch + 4}>
              {index + 1}
            </text>
          </g>
        ))}
        {gone && <rect x={34} y={TOP} width={66} height={HEIGHT} fill="url(#hatch)" />}
        <Car state={shown} stops={lift.stops} ghost={gone} kind={kind} />
        <text x={108} y={TOP + HEIGHT / 2 + 6} className={gone ? "floor floor-gone" : "floor"}>
          {gone ? "?" : (state.floor ?? "?")}
          <tspan className="direction" dx="4">
            {arrow}
          </tspan>
        </text>
        {between &&
          word("between", lang)
            .split(" ")
            .map((part, index) => (
              <text key={part} x={108} y={TOP + HEIGHT / 2 + 26 + 15 * index} className="between">
                {part}
              </text>
            ))}
        {state.mains === false && !gone && (
          <text x={108} y={TOP + 14} className="between">
            {word("noMains", lang)}
          </text>
        )}
      </svg>
      <span className="strip-foot">
        <span>
          {gone
            ? lift.link_age_ms !== null
              ? `${word("since", lang)} ${clock(Date.now() - lift.link_age_ms - grown, lang)}`
              : ""
            : doorText}
        </span>
        <span className="age">{age(lift.age_ms === null ? null : lift.age_ms + grown, lang)}</span>
      </span>
    </button>
  );
});
