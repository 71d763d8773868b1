// One uPlot chart with stepped lines: a part is chosen by dragging, the wheel zooms; events are bands behind the lines.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dayAndClock, number, tick } from "../app/format";
import { useLang } from "../app/language";
import { useTheme } from "../app/theme";
import { word } from "./texts";

export interface Line {
  label: string;
  /** A colour of base.css. */
  colour: string;
  /** Sloped between records where the thing itself moves evenly; else stepped. */
  sloped?: boolean;
}

export interface Band {
  fromS: number;
  toS: number;
  severity: number;
}

interface Props {
  label: string;
  lines: readonly Line[];
  data: [number[], ...(number | null)[][]];
  low: number;
  high: number | null; // null = by the data
  height: number;
  bands?: readonly Band[];
  /** A time to be marked, s. */
  marker?: number | null;
  /** Names of these values on the axis, in place of numbers. */
  names?: readonly (readonly [number, string])[];
  onRange?: (fromS: number, toS: number) => void;
}

const WHEEL = 0.7;
const SYNC = uPlot.sync("lift");

/** The colours of base.css as they are now; anew when the scheme changes. */
export function useColours(): (name: string) => string {
  const [theme] = useTheme();
  const [, setDark] = useState(false);
  useEffect(() => {
    const asked = matchMedia("(prefers-color-scheme: dark)");
    const look = () => setDark(asked.matches);
    asked.addEventListener("change", look);
    return () => asked.removeEventListener("change", look);
  }, []);
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim() || (theme === "light" ? "#000" : "#fff");
}

export function Chart(props: Props) {
  const { label, lines, data, low, high, height } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const held = useRef(props);
  held.current = props;
  const colour = useColours();
  const lang = useLang();
  const look = [...lines.map((line) => `${line.label} ${colour(line.colour)}`), colour("quiet"), height, low, high, lang].join("|");
  useLayoutEffect(() => {
    const element = place.current!;
    const { names } = held.current;
    const axis = { space: 70, stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
    const step = uPlot.paths.stepped!({ align: 1 });
    const made = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        cursor: { sync: { key: SYNC.key }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => null } },
        scales: {
          x: { time: true },
          y: { range: (_, from, to) => (high !== null ? [low, high] : [Math.min(low, from ?? low), Math.max(low + 1, (to ?? low) * 1.05)]) },
        },
        axes: [
          { ...axis, values: (_, times, __, ___, everyS) => times.map((t) => tick(t * 1000, everyS, lang)) },
          names
            ? { ...axis, size: 118, splits: () => names.map(([value]) => value), values: () => names.map(([, name]) => name) }
            : { ...axis, size: 54, values: (_, values) => values.map((value) => number(value, lang, 2)) },
        ],
        series: [{ label: word("time", lang), value: (_, t) => (t == null ? "–" : dayAndClock(t * 1000, lang)) }, ...lines.map((line) => ({ label: line.label, value: (_: uPlot, value: number | null) => (value == null ? "–" : names ? (names.find(([one]) => one === value)?.[1] ?? "–") : number(value, lang, 2)), stroke: colour(line.colour), width: 2, points: { show: false }, ...(line.sloped ? {} : { paths: step }) }))],
        hooks: {
          drawClear: [(shown) => drawBands(shown, held.current.bands ?? [], colour)],
          draw: [(shown) => drawMarker(shown, held.current.marker ?? null, colour("focus"))],
          setSelect: [
            (shown) => {
              const { left, width } = shown.select;
              if (width < 4 || !held.current.onRange) return;
              held.current.onRange(shown.posToVal(left, "x"), shown.posToVal(left + width, "x"));
              shown.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      held.current.data,
      element,
    );
    plot.current = made;
    const wheel = (event: WheelEvent) => {
      const { onRange } = held.current;
      if (!onRange || event.ctrlKey) return;
      event.preventDefault();
      const { min, max } = made.scales.x!;
      const at = made.posToVal(event.offsetX, "x");
      const factor = event.deltaY < 0 ? WHEEL : 1 / WHEEL;
      onRange(at - (at - min!) * factor, at + (max! - at) * factor);
    };
    made.over.addEventListener("wheel", wheel, { passive: false });
    const resized = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look]);
  useEffect(() => plot.current?.setData(data), [data]);
  useEffect(() => plot.current?.redraw(false), [props.marker, props.bands]);
  return <div className="chart" ref={place} role="img" aria-label={label} />;
}

function drawBands(plot: uPlot, bands: readonly Band[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const band of bands) {
    const from = Math.max(bbox.left, plot.valToPos(band.fromS, "x", true));
    const to = Math.min(bbox.left + bbox.width, Math.max(from + 2, plot.valToPos(band.toS, "x", true)));
    if (to <= bbox.left || from >= bbox.left + bbox.width) continue;
    ctx.fillStyle = colour(band.severity >= 4 ? "danger" : "fault");
    ctx.globalAlpha = 0.16;
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillRect(from, bbox.top, 2, bbox.height);
  }
  ctx.restore();
}

function drawMarker(plot: uPlot, marker: number | null, colour: string): void {
  if (marker === null) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(marker, "x", true);
  ctx.save();
  ctx.fillStyle = colour;
  ctx.fillRect(x - 1, bbox.top, 3, bbox.height);
  ctx.restore();
}
