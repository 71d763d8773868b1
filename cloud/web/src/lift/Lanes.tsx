// Signals that are yes, no or unknown over time: one lane each, solid where it is yes, hatched where nothing is known.
import { memo, useId } from "react";
import { FIELDS } from "../generated/contract";
import type { Lang } from "../app/language";
import type { Field } from "./values";

interface Props {
  names: readonly Field[];
  data: [number[], ...(number | null)[][]]; // the columns of `names`
  fromS: number;
  toS: number;
  lang: Lang;
  label: string;
}

const LANE = 18;
const WIDTH = 1000;

/** [from, to, value] of equal neighbours. */
function runs(times: readonly number[], column: readonly (number | null)[]): [number, number, number | null][] {
  const out: [number, number, number | null][] = [];
  for (let at = 0; at < times.length - 1; at += 1) {
    const value = column[at]!;
    const last = out[out.length - 1];
    if (last && last[2] === value) last[1] = times[at + 1]!;
    else out.push([times[at]!, times[at + 1]!, value]);
  }
  return out;
}

export const Lanes = memo(function Lanes({ names, data, fromS, toS, lang, label }: Props) {
  const pattern = `lane${useId().replace(/\W/g, "")}`;
  const [times, ...columns] = data;
  const x = (t: number) => (WIDTH * (t - fromS)) / (toS - fromS);
  return (
    <div className="lanes" role="img" aria-label={label}>
      <ul aria-hidden="true">
        {names.map((name) => (
          <li key={name} style={{ height: LANE }}>
            {FIELDS[name][lang]}
          </li>
        ))}
      </ul>
      <svg viewBox={`0 0 ${WIDTH} ${names.length * LANE}`} height={names.length * LANE} preserveAspectRatio="none" aria-hidden="true">
        <defs>
          <pattern id={pattern} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2" height="6" className="lane-unknown" />
          </pattern>
        </defs>
        {names.map((name, row) => (
          <g key={name} transform={`translate(0, ${row * LANE})`}>
            <line x1={0} x2={WIDTH} y1={LANE - 3} y2={LANE - 3} className="lane-line" />
            {runs(times, columns[row] ?? []).map(([from, to, value]) =>
              value === 0 ? null : (
                <rect
                  key={from}
                  x={x(from)}
                  width={Math.max(1, x(to) - x(from))}
                  y={3}
                  height={LANE - 6}
                  className={value === null ? "" : `lane-on lane-${name}`}
                  fill={value === null ? `url(#${pattern})` : undefined}
                />
              ),
            )}
          </g>
        ))}
      </svg>
    </div>
  );
});
