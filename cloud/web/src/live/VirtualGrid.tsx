// A grid of thousands of strips of which only those in sight are there, with heads of groups between. The window scrolls.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Lang } from "../app/language";
import type { Group } from "./filters";
import { BOX, Strip, type Size } from "./Strip";

const GAP = 8;
const HEAD_HEIGHT = 44;
// Drawn beyond what is in sight, px: a flick of the wheel shows no hole.
const BEYOND = 300;

type Row = { kind: "head"; group: Group } | { kind: "strips"; ids: string[] };

export interface Grid {
  rows: Row[];
  tops: number[]; // and the end as the last
  columns: number;
  order: string[];
}

function layOut(groups: readonly Group[], size: Size, width: number): Grid {
  const { width: least, height } = BOX[size];
  const columns = Math.max(1, Math.floor(width / (least + GAP)));
  const rows: Row[] = [];
  const tops: number[] = [];
  const order: string[] = [];
  let top = 0;
  for (const group of groups) {
    if (group.key !== "" || groups.length > 1) {
      rows.push({ kind: "head", group });
      tops.push(top);
      top += HEAD_HEIGHT;
    }
    for (let at = 0; at < group.entries.length; at += columns) {
      const ids = group.entries.slice(at, at + columns).map((entry) => entry.id);
      rows.push({ kind: "strips", ids });
      tops.push(top);
      order.push(...ids);
      top += height + GAP;
    }
  }
  return { rows, tops: [...tops, top], columns, order };
}

/** Index of the row at `y`. */
function rowAt(tops: readonly number[], y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface Props {
  groups: readonly Group[];
  size: Size;
  lang: Lang;
  selected: string;
  label: string;
  heading: (group: Group) => React.ReactNode;
  /** Told what is laid out, for the keys. */
  onGrid: (grid: Grid) => void;
}

export function VirtualGrid({ groups, size, lang, selected, label, heading, onGrid }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const grid = useMemo(() => layOut(groups, size, width), [groups, size, width]);
  useEffect(() => onGrid(grid), [grid, onGrid]);

  const look = useCallback(() => {
    if (!place.current) return;
    const top = -place.current.getBoundingClientRect().top;
    const first = rowAt(grid.tops, top - BEYOND);
    const last = rowAt(grid.tops, top + innerHeight + BEYOND);
    setRange((was) => (was[0] === first && was[1] === last ? was : [first, last]));
  }, [grid]);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(() => place.current && setWidth(place.current.clientWidth));
    seen.observe(place.current!);
    return () => seen.disconnect();
  }, []);
  useLayoutEffect(() => {
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [look]);
  useLayoutEffect(() => {
    const at = grid.rows.findIndex((row) => row.kind === "strips" && row.ids.includes(selected));
    if (at >= 0 && place.current) bringIntoSight(place.current, grid.tops[at]!, grid.tops[at + 1]!);
  }, [selected, grid.columns]); // not when only the order changes: nobody asked for that

  const { height } = BOX[size];
  return (
    <div className="grid" ref={place} style={{ height: grid.tops[grid.tops.length - 1] }} aria-label={label} role="group">
      {grid.rows.slice(range[0], range[1] + 1).map((row, at) => {
        const top = grid.tops[range[0] + at]!;
        if (row.kind === "head")
          return (
            <h3 key={`head ${row.group.key}`} className="group-head" style={{ top, height: HEAD_HEIGHT }}>
              {heading(row.group)}
            </h3>
          );
        return row.ids.map((id, column) => (
          <div
            key={id}
            className="cell"
            style={{ top, height, left: `${(100 * column) / grid.columns}%`, width: `calc(${100 / grid.columns}% - ${GAP}px)` }}
          >
            <Strip id={id} size={size} lang={lang} selected={id === selected} />
          </div>
        ));
      })}
    </div>
  );
}

/** Scrolls so that a row is in sight, with a little round it. */
function bringIntoSight(grid: HTMLElement, top: number, end: number): void {
  const start = grid.getBoundingClientRect().top;
  const above = start + top - 120;
  const below = start + end + 20 - innerHeight;
  if (above < 0) scrollBy({ top: above });
  else if (below > 0) scrollBy({ top: Math.min(below, above) });
}
