// Wall mode: no menus, large, page by page of sites; stops at a new alarm; loads itself anew when the server has a newer page.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { AlarmCard } from "../alarm/AlarmCard";
import { listed } from "../alarm/alarms";
import "../alarm/alarm.css";
import { Shift } from "../alarm/Shift";
import { clock, dayAndClock } from "../app/format";
import { LivePill } from "../app/Header";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { address, go, useQuery } from "../app/router";
import { useNow } from "../app/time";
import { isOutdated } from "../app/version";
import { IncidentCard } from "../incidents/IncidentCard";
import { filtered } from "../live/filters";
import "../live/live.css";
import { Strip, SYMBOLS, type Size } from "../live/Strip";
import { word as liveWord } from "../live/texts";
import { isAlive, TROUBLES } from "../world/model";
import { useCases, useConnection, useEntries, useIncidents } from "../world/store";
import { pagesOf, type Site } from "./pages";
import { word } from "./texts";
import "./wall.css";

// How long a page stands, unless the address says otherwise (`every`, s). Ours.
const EVERY_S = 12;
// Lifts on one page: larger says more from afar. Ours.
const MOST = 20;
const MOST_ALARMS = 4;
const VERSION_MS = 60_000;
const [LEAST_ZOOM, MOST_ZOOM] = [0.5, 2.2];

function useNewest(): void {
  const state = useConnection();
  useEffect(() => {
    const look = () =>
      void isOutdated()
        .then((is) => is && location.reload())
        .catch(() => undefined); // a server that does not answer has no newer page
    look();
    const timer = setInterval(look, VERSION_MS);
    return () => clearInterval(timer);
  }, [state]); // at once when a server comes back: it may be a new one
}

/** As large as all of the page fits. */
function Sites({ sites, size }: { sites: readonly Site[]; size: Size }) {
  const lang = useLang();
  const place = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState("");
  useLayoutEffect(() => {
    const seen = new ResizeObserver(() => setBox(`${innerWidth} ${innerHeight}`));
    seen.observe(document.documentElement);
    return () => seen.disconnect();
  }, []);
  useLayoutEffect(() => {
    const outer = place.current!;
    const inner = outer.firstElementChild as HTMLElement;
    let [low, high] = [LEAST_ZOOM, MOST_ZOOM];
    for (let step = 0; step < 7; step += 1) {
      const middle = (low + high) / 2;
      inner.style.zoom = String(middle);
      if (inner.getBoundingClientRect().height <= outer.clientHeight) low = middle;
      else high = middle;
    }
    inner.style.zoom = String(low);
  }, [sites, size, box, lang]);
  return (
    <div className="wall-sites" ref={place}>
      <div>
        {sites.map((site) => (
          <section key={`${site.name} ${site.part}`} className="wall-site" aria-label={site.name}>
            <h2>
              {site.name || word("noSite", lang)}
              {site.part > 0 && word("part", lang, { part: site.part })} <small>{site.ids.length}</small>
            </h2>
            <div className={`wall-strips wall-${size}`}>
              {site.ids.map((id) => (
                <Strip key={id} id={id} size={size} lang={lang} selected={false} />
              ))}
            </div>
          </section>
        ))}
      </div>
    </div>
  );
}

export default function Wall() {
  const lang = useLang();
  const entries = useEntries();
  const cases = useCases();
  const incidents = useIncidents();
  const [every] = useQuery("every");
  const [at, setAt] = useState(0);
  const [paused, setPaused] = useState(false);
  const now = useNow(1000);
  useNewest();
  const found = listed(cases, incidents);
  const alarms = found.alarms.filter((one) => !one.isShelved);
  const others = [...found.areas.map((area) => area.incident), ...found.others.filter((one) => isAlive(one) && one.severity >= 2 && !one.withheld)];
  const fresh = alarms.find((one) => one.isNew && one.severity >= 3)?.lift ?? others.find((one) => one.severity >= 4)?.lift ?? null;
  const counts = useMemo(() => filtered(entries, { text: "", troubles: new Set(), fault: "", site: "" }).counts, [entries]);
  const pages = useMemo(() => pagesOf(entries, MOST), [entries]);
  const ofFresh = fresh === null ? -1 : pages.findIndex((sites) => sites.some((site) => site.ids.includes(fresh)));
  const shown = pages.length === 0 ? 0 : ofFresh >= 0 ? ofFresh : at % pages.length;
  const waits = fresh !== null || paused || pages.length < 2;
  const seconds = Math.max(3, Number(every) || EVERY_S);
  useEffect(() => {
    if (waits) return;
    const timer = setInterval(() => setAt((was) => was + 1), seconds * 1000);
    return () => clearInterval(timer);
  }, [waits, seconds]);
  // From the page of the alarm it goes on where it was stopped.
  useEffect(() => {
    if (ofFresh >= 0) setAt(ofFresh);
  }, [ofFresh]);
  const turn = (by: number) => setAt((was) => (was + by + pages.length) % Math.max(1, pages.length));
  useKeys([
    { keys: [" "], does: { zh: word("pause", "zh"), en: word("pause", "en") }, run: () => setPaused(!paused) },
    { keys: ["ArrowRight"], does: { zh: word("next", "zh"), en: word("next", "en") }, run: () => turn(1) },
    { keys: ["ArrowLeft"], does: { zh: word("previous", "zh"), en: word("previous", "en") }, run: () => turn(-1) },
    { keys: ["Escape"], does: { zh: word("leave", "zh"), en: word("leave", "en") }, run: () => go(address("/")) },
  ]);
  const sites = pages[shown] ?? [];
  const many = sites.reduce((sum, site) => sum + site.ids.length, 0);
  return (
    <div className="wall">
      <header className="wall-head">
        <h1 className="visually-hidden">{word("title", lang)}</h1>
        <ul className="counts" aria-label={word("counts", lang)}>
          {TROUBLES.map((name) => (
            <li key={name} className={`chip chip-${name}${counts[name] > 0 ? " chip-some" : ""}`}>
              {SYMBOLS[name]} <b>{counts[name]}</b> {liveWord(`trouble_${name}`, lang)}
            </li>
          ))}
        </ul>
        <span className="wall-page" role="status">
          {fresh !== null ? word("stopped", lang) : paused ? word("paused", lang) : pages.length > 1 ? word("page", lang, { page: shown + 1, pages: pages.length }) : ""}
        </span>
        <Shift />
        <LivePill />
        <time className="wall-clock figures" dateTime={new Date(now).toISOString()}>
          <small>{dayAndClock(now, lang).split(/[ ,]/)[0]}</small> {clock(now, lang)}
        </time>
      </header>
      <div className={`wall-body${alarms.length + others.length > 0 ? " wall-alarmed" : ""}`}>
        {pages.length === 0 ? <p className="nothing">{word("noLifts", lang)}</p> : <Sites sites={sites} size={many > 10 ? "medium" : "large"} />}
        {alarms.length + others.length > 0 && (
          <div className="alarms">
            {alarms.slice(0, MOST_ALARMS).map((alarm) => (
              <AlarmCard key={alarm.cases[0]!.id} alarm={alarm} incidents={incidents} hint={false} selected={false} isHere />
            ))}
            {others.slice(0, Math.max(0, MOST_ALARMS - alarms.length)).map((incident) => (
              <IncidentCard key={incident.id} incident={incident} all={incidents} />
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
