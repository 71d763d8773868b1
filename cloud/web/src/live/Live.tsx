// The contractor's live view: all his lifts, and what calls for somebody.
import { useCallback, useDeferredValue, useMemo, useRef } from "react";
import { Alarms } from "../alarm/Alarms";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { useMe } from "../app/me";
import { address, go, here, setQuery, useQuery } from "../app/router";
import { useConnection, useEntries, world, type Entry } from "../world/store";
import { useChoice } from "./choice";
import { filtered, grouped, sorted, type Group } from "./filters";
import "./live.css";
import { useSteady } from "./steady";
import { MapView } from "./MapView";
import { useOwned } from "./owned";
import { SYMBOLS } from "./Strip";
import { word } from "./texts";
import { Toolbar } from "./Toolbar";
import { VirtualGrid, type Grid } from "./VirtualGrid";
import { TROUBLES, type Trouble } from "../world/model";

const FILTERS = { q: "", trouble: "", fault: "", site: "" };
const CHOSEN = "lift";

/** Moves the choice by so many lifts, and the focus with it, so that Enter opens. */
function choose(grid: Grid, by: number): void {
  const { order } = grid;
  if (order.length === 0) return;
  const at = order.indexOf(here().query.get(CHOSEN) ?? "");
  const next = order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + by))]!;
  setQuery({ [CHOSEN]: next });
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-lift="${CSS.escape(next)}"]`)?.focus({ preventScroll: true }));
}

export default function Live() {
  const lang = useLang();
  const entries = useEntries();
  const choice = useChoice(entries.length);
  const [selected] = useQuery(CHOSEN);
  const owned = useOwned(choice.group === "district" || choice.group === "contractor");
  const search = useRef<HTMLInputElement>(null);
  const grid = useRef<Grid>({ rows: [], tops: [0], columns: 1, order: [] });
  const onGrid = useCallback((found: Grid) => void (grid.current = found), []);
  // Typing goes before drawing.
  const filter = useDeferredValue(choice.filter);
  const { group, sort } = choice;
  const { shown, counts } = useMemo(() => filtered(entries, filter), [entries, filter]);
  const place = useRef<HTMLElement>(null);
  const ordered = useMemo(() => grouped(sorted(shown, sort), group, sort, owned), [shown, sort, group, owned]);
  const groups = useSteady(ordered, `${JSON.stringify([filter.text, filter.fault, filter.site, [...filter.troubles], sort, group])} ${entries.length}`, place);
  const sites = useMemo(() => [...new Set(entries.map((entry) => entry.site))].filter(Boolean).sort(), [entries]);
  const faults = useMemo(() => [...new Set(entries.map((entry) => entry.fault))].filter(Boolean).sort(), [entries]);
  const step = (by: () => number) => () => choose(grid.current, by());
  useKeys([
    { keys: ["j", "ArrowRight"], does: { zh: word("keyNext", "zh"), en: word("keyNext", "en") }, run: step(() => 1) },
    { keys: ["k", "ArrowLeft"], does: { zh: word("keyPrevious", "zh"), en: word("keyPrevious", "en") }, run: step(() => -1) },
    { keys: ["ArrowDown"], does: { zh: word("keyDown", "zh"), en: word("keyDown", "en") }, run: step(() => grid.current.columns) },
    { keys: ["ArrowUp"], does: { zh: word("keyUp", "zh"), en: word("keyUp", "en") }, run: step(() => -grid.current.columns) },
    {
      keys: ["Enter"], does: { zh: word("keyOpen", "zh"), en: word("keyOpen", "en") },
      run: () => go(address(`/lift/${encodeURIComponent(selected)}`)),
      when: () => selected !== "" && document.activeElement === document.body,
    },
    { keys: ["/"], does: { zh: word("keySearch", "zh"), en: word("keySearch", "en") }, run: () => search.current?.focus() },
  ]);
  return (
    <div className="split">
      <section className="lifts" ref={place} aria-label={word("lifts", lang)}>
        <h2 className="visually-hidden">
          {word("lifts", lang)} <small>{entries.length}</small>
        </h2>
        {entries.length > 0 && <Toolbar choice={choice} counts={counts} sites={sites} faults={faults} search={search} />}
        {shown.length === 0 ? (
          <Nothing all={entries} />
        ) : choice.view === "map" ? (
          <MapView entries={shown} selected={selected} />
        ) : (
          <VirtualGrid
            groups={groups}
            size={choice.size}
            lang={lang}
            selected={selected}
            label={word("lifts", lang)}
            onGrid={onGrid}
            heading={(one) => <GroupHead group={one} by={group} />}
          />
        )}
      </section>
      <Alarms />
    </div>
  );
}

function GroupHead({ group, by }: { group: Group; by: string }) {
  const lang = useLang();
  const counts = new Map<Trouble, number>();
  for (const entry of group.entries) counts.set(entry.trouble, (counts.get(entry.trouble) ?? 0) + 1);
  const name = by === "state" ? word(`trouble_${group.key as Trouble}`, lang) : group.key || word("noGroup", lang);
  return (
    <>
      {name} <small>{word("groupCount", lang, { count: group.entries.length })}</small>
      {by !== "state" &&
        TROUBLES.filter((kind) => kind !== "none" && counts.has(kind)).map((kind) => (
          <span key={kind} className={`group-count count-${kind}`}>
            {SYMBOLS[kind]} {counts.get(kind)} {word(`trouble_${kind}`, lang)}
          </span>
        ))}
    </>
  );
}

/** Why there is nothing to see, and what to do about it. */
function Nothing({ all }: { all: readonly Entry[] }) {
  const lang = useLang();
  const state = useConnection();
  const me = useMe();
  if (all.length > 0)
    return (
      <div className="nothing" role="status">
        <h3>{word("hidden", lang)}</h3>
        <p>{word("hiddenWhy", lang, { count: all.length })}</p>
        <button className="button" onClick={() => setQuery(FILTERS)}>
          {word("clear", lang)}
        </button>
      </div>
    );
  if (state === "new")
    return (
      <p className="nothing" role="status">
        {word(world.link.refusals > 0 ? "unreachable" : "waiting", lang)}
      </p>
    );
  return (
    <div className="nothing" role="status">
      <h3>{word("noLifts", lang)}</h3>
      <p>{word("noLiftsWhy", lang)}</p>
      {me?.permissions.includes("lifts.assign") && (
        <a className="button" href={`/manage/lifts?lang=${lang}`}>
          {word("noLiftsAdmin", lang)}
        </a>
      )}
    </div>
  );
}
