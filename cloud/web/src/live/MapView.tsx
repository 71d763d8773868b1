// Lifts where they stand: a plain plane without any map's tiles, near ones as one circle with its worst trouble. Drag, wheel, buttons, keys.
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type PointerEvent } from "react";
import { number } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { address, go, useQuery } from "../app/router";
import type { Entry } from "../world/store";
import { clusters, fitting, MIN_SCALE, moved, scaleBar, zoomed, type Camera, type Cluster } from "./projection";
import { SYMBOLS } from "./Strip";
import { word } from "./texts";

const STEP_PX = 120;
const ZOOM = 0.5;
// Nearer than this a click on several lifts lists them: they stand at one place.
const NEAREST = 0.4;

const write = ({ lat, lon, metresPerPx }: Camera): string => `${lat.toFixed(5)},${lon.toFixed(5)},${metresPerPx.toPrecision(4)}`;

function read(text: string): Camera | null {
  const [lat, lon, metresPerPx] = text.split(",").map(Number);
  return lat !== undefined && lon !== undefined && metresPerPx !== undefined && metresPerPx > 0 && Number.isFinite(lat + lon + metresPerPx)
    ? { lat, lon, metresPerPx }
    : null;
}

export function MapView({ entries, selected }: { entries: readonly Entry[]; selected: string }) {
  const lang = useLang();
  const place = useRef<HTMLDivElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const [box, setBox] = useState({ width: 0, height: 0 });
  const [kept, keep] = useQuery("map");
  const [camera, setCamera] = useState<Camera | null>(() => read(kept));
  const [listed, setListed] = useState<Cluster | null>(null);
  const drag = useRef<{ x: number; y: number; moved: number } | null>(null);

  useLayoutEffect(() => {
    const seen = new ResizeObserver(() => place.current && setBox({ width: place.current.clientWidth, height: place.current.clientHeight }));
    seen.observe(place.current!);
    return () => seen.disconnect();
  }, []);
  const shown = camera ?? (box.width > 0 ? fitting(entries, box.width, box.height) : null);
  const change = (next: Camera | null) => {
    setCamera(next);
    setListed(null);
  };
  useEffect(() => {
    const timer = setTimeout(() => keep(camera ? write(camera) : ""), 400);
    return () => clearTimeout(timer);
  }, [camera, keep]);
  // React listens to wheels passively, which may not keep the page from scrolling.
  useEffect(() => {
    const wheel = (event: WheelEvent) => {
      if (!shown || !svg.current) return;
      event.preventDefault();
      const { left, top, width, height } = svg.current.getBoundingClientRect();
      change(zoomed(shown, Math.exp(event.deltaY * 0.0015), event.clientX - left - width / 2, event.clientY - top - height / 2));
    };
    const element = svg.current;
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  });
  const found = useMemo(() => (shown ? clusters(entries, shown, box.width, box.height) : []), [entries, shown, box]);
  const without = entries.filter((entry) => !entry.at).length;

  const down = (event: PointerEvent) => (drag.current = { x: event.clientX, y: event.clientY, moved: 0 });
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (!drag.current || !shown) return;
    const [dx, dy] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
    const way = drag.current.moved + Math.abs(dx) + Math.abs(dy);
    if (way > 6) event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, y: event.clientY, moved: way };
    if (way > 6) change(moved(shown, dx, dy));
  };
  const open = (cluster: Cluster) => {
    const [only] = cluster.entries;
    if (cluster.entries.length === 1 && only) go(address(`/lift/${encodeURIComponent(only.id)}`));
    else if (shown && shown.metresPerPx > NEAREST) {
      const near = fitting(cluster.entries, box.width, box.height, MIN_SCALE)!;
      change({ ...near, metresPerPx: Math.min(near.metresPerPx, shown.metresPerPx * ZOOM) });
    } else setListed(cluster);
  };
  const keys: Record<string, () => Camera> = shown
    ? {
        ArrowLeft: () => moved(shown, STEP_PX, 0),
        ArrowRight: () => moved(shown, -STEP_PX, 0),
        ArrowUp: () => moved(shown, 0, STEP_PX),
        ArrowDown: () => moved(shown, 0, -STEP_PX),
        "+": () => zoomed(shown, ZOOM),
        "=": () => zoomed(shown, ZOOM),
        "-": () => zoomed(shown, 1 / ZOOM),
      }
    : {};
  const [metres, barPx] = shown ? scaleBar(shown.metresPerPx, 120) : [0, 0];
  return (
    <div className="map" ref={place}>
      <svg
        ref={svg}
        role="group"
        aria-label={word("map", lang)}
        tabIndex={0}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={() => setTimeout(() => (drag.current = null))}
        onPointerCancel={() => (drag.current = null)}
        onKeyDown={(event) => {
          const next = keys[event.key];
          if (!next) return;
          event.preventDefault();
          event.stopPropagation();
          change(next());
        }}
      >
        {found.map((one) => (
          <Circle key={one.key} cluster={one} lang={lang} selected={one.entries.some((entry) => entry.id === selected)} onOpen={() => (drag.current?.moved ?? 0) <= 6 && open(one)} />
        ))}
        {shown && (
          <g className="scale" transform={`translate(16, ${box.height - 16})`} aria-hidden="true">
            <path d={`M0 -6 v6 h${barPx} v-6`} />
            <text x={barPx / 2} y={-9}>
              {metres >= 1000 ? `${number(metres / 1000, lang, 1)} km` : `${number(metres, lang, 1)} m`}
            </text>
          </g>
        )}
      </svg>
      <div className="map-buttons">
        {shown && (
          <>
            <button aria-label={word("nearer", lang)} onClick={() => change(zoomed(shown, ZOOM))}>
              +
            </button>
            <button aria-label={word("farther", lang)} onClick={() => change(zoomed(shown, 1 / ZOOM))}>
              −
            </button>
            <button aria-label={word("showAll", lang)} onClick={() => change(null)}>
              <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" className="icon">
                <path className="stroke" d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4" />
              </svg>
            </button>
          </>
        )}
      </div>
      {without > 0 && <p className="map-note">{word(without === entries.length ? "noPlaces" : "somePlaces", lang, { count: without })}</p>}
      {listed && (
        <div className="map-list">
          <button onClick={() => setListed(null)}>{word("close", lang)}</button>
          <ul>
            {listed.entries.map((entry) => (
              <li key={entry.id}>
                <a href={address(`/lift/${encodeURIComponent(entry.id)}`)}>
                  {SYMBOLS[entry.trouble]} {entry.name}
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Circle({ cluster, lang, selected, onOpen }: { cluster: Cluster; lang: Lang; selected: boolean; onOpen: () => void }) {
  const { entries, worst, counts } = cluster;
  const [only] = entries;
  const single = entries.length === 1 && only;
  const radius = single ? 16 : Math.min(34, 16 + 3 * Math.log2(entries.length));
  const label = single
    ? `${only.name}: ${word(`trouble_${worst}`, lang)}`
    : `${word("liftsHere", lang, { count: entries.length })}${worst === "none" ? "" : `, ${word(`trouble_${worst}`, lang)} ${counts[worst]}`}`;
  return (
    <g className={`spot spot-${worst}${selected ? " selected" : ""}`} transform={`translate(${cluster.x}, ${cluster.y})`}>
      <g
        role="button"
        tabIndex={0}
        aria-label={label}
        onClick={onOpen}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          onOpen();
        }}
      >
        <circle r={Math.max(radius, 22)} className="touch" />
        <circle r={radius} className="disc" />
      </g>
      <g aria-hidden="true" className="spot-words">
        <text y={5}>{single ? SYMBOLS[worst] || "●" : entries.length}</text>
        {!single && worst !== "none" && (
          <text y={-radius - 4} className="spot-worst">
            {SYMBOLS[worst]} {counts[worst]}
          </text>
        )}
        {(single || entries.every((entry) => entry.site === only!.site)) && (
          <text y={radius + 15} className="spot-name">
            {single ? only.name : only!.site}
          </text>
        )}
      </g>
    </g>
  );
}
