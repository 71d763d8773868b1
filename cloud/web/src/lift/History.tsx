// Ten minutes of one lift from the gateway's log: position, speed and doors.
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Lang } from "../app/language";
import { Counts } from "../incidents/Why";
import type { Lift } from "../world/model";
import { controllerFault } from "../world/words";
import { word } from "./texts";

type Series = Record<string, [number, number | boolean | null][]>;
const NAMES = ["floor", "speed_mm_s", "door_1"] as const;

/** Change records on one time axis: a value holds until the next, and unknown is a hole. */
function align(series: Series, from: number, to: number): uPlot.AlignedData {
  const times = [...new Set([from, to, ...NAMES.flatMap((name) => (series[name] ?? []).map(([t]) => t))])].sort((a, b) => a - b);
  const columns = NAMES.map((name) => {
    const points = series[name] ?? [];
    let at = 0;
    let value: number | null = null;
    return times.map((t) => {
      while (at < points.length && points[at]![0] <= t) {
        const found = points[at]![1];
        value = found === null ? null : Number(found);
        at += 1;
      }
      return value;
    });
  });
  return [times.map((t) => t / 1000), ...columns];
}

export function History({ lift, lang }: { lift: Lift; lang: Lang }) {
  const place = useRef<HTMLDivElement>(null);
  const [note, setNote] = useState("");
  useEffect(() => {
    let plot: uPlot | null = null;
    let gone = false;
    const load = async () => {
      const to = Date.now();
      const from = to - 600_000;
      const answer = await fetch(`/api/v1/lifts/${lift.id}/history?from=${from}&to=${to}&fields=${NAMES.join(",")}`);
      if (gone || !place.current) return;
      if (!answer.ok) {
        const problem = (await answer.json()) as { title?: string };
        setNote(`${word("historyFailed", lang)}: ${problem.title ?? answer.status}`);
        return;
      }
      const found = (await answer.json()) as { fields: Series };
      const empty = NAMES.every((name) => (found.fields[name] ?? []).length === 0);
      setNote(empty ? word("noHistory", lang) : "");
      const data = align(found.fields, from, to);
      if (plot) {
        plot.setData(data);
        return;
      }
      const step = uPlot.paths.stepped!({ align: 1 });
      const axis = { stroke: "#9fb0bf", grid: { stroke: "#2a343d" }, ticks: { stroke: "#2a343d" } };
      plot = new uPlot(
        {
          width: place.current.clientWidth,
          height: 220,
          scales: { x: { time: true }, floor: { range: [0, lift.stops + 1] }, speed: { range: [0, 1400] }, door: { range: [0, 7] } },
          axes: [axis, { ...axis, scale: "floor" }, { ...axis, scale: "speed", side: 1 }],
          series: [
            {},
            { label: lang === "zh" ? "楼层" : "floor", scale: "floor", stroke: "#e8eef3", width: 2, paths: step },
            { label: lang === "zh" ? "速度 mm/s" : "speed mm/s", scale: "speed", stroke: "#5aa9ff" },
            { label: lang === "zh" ? "门 (4 开, 2 关)" : "door (4 open, 2 closed)", scale: "door", stroke: "#f0b429", paths: step },
          ],
        },
        data,
        place.current,
      );
    };
    const again = () => void load().catch(() => setNote(word("historyFailed", lang)));
    again();
    const timer = setInterval(again, 5000);
    return () => {
      gone = true;
      clearInterval(timer);
      plot?.destroy();
    };
  }, [lift.id, lift.stops, lang]);
  return (
    <section className="history" aria-label={word("history", lang)}>
      <h2>
        {lift.name} <small>{word("history", lang)}</small>
      </h2>
      <p className="empty">
        {lift.controller_fault && (
          <>
            <b>{controllerFault(lift.controller_fault, lang)}</b> {lift.controller_fault.remedy[lang]}
            <br />
          </>
        )}
        {lift.address} · {word("rescue", lang)} <b>{lift.rescue_code || "–"}</b>
      </p>
      <Counts lift={lift} lang={lang} />
      {note && <p className="empty">{note}</p>}
      <div ref={place} />
    </section>
  );
}
