// The live page: shaft strips and incidents. The URL holds language and selection.
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Health } from "./Health";
import { History } from "./History";
import { Incidents } from "./Incidents";
import { EMPTY, unfolded, watch, type World } from "./model";
import { ShaftStrip } from "./ShaftStrip";
import "./style.css";
import { age, word, type Lang } from "./texts";

const CUT_OFF_MS = 12_000;

function useUrl(name: string, fallback: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => new URLSearchParams(location.search).get(name) ?? fallback);
  const set = (next: string) => {
    const query = new URLSearchParams(location.search);
    if (next) query.set(name, next);
    else query.delete(name);
    history.replaceState(null, "", `?${query.toString()}`);
    setValue(next);
  };
  return [value, set];
}

function App() {
  const [world, setWorld] = useState<World>(EMPTY);
  const [now, setNow] = useState(() => performance.now());
  const [langText, setLang] = useUrl("lang", navigator.language.startsWith("zh") ? "zh" : "en");
  const [selected, setSelected] = useUrl("lift", "");
  const lang: Lang = langText === "en" ? "en" : "zh";
  useEffect(() => watch(setWorld), []);
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const incidents = unfolded(world.incidents).sort(
    (a, b) => Number(a.phase === "closed") - Number(b.phase === "closed") || b.severity - a.severity || b.opened_at_ms - a.opened_at_ms,
  );
  const dangers = incidents.filter((incident) => incident.phase !== "closed").length;
  useEffect(() => {
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = `${dangers > 0 ? `(${dangers}) ` : ""}${word("title", lang)} · Liftwatch`;
  }, [lang, dangers]);
  const silence = Math.max(0, now - world.heardAt);
  const cutOff = world.heardAt === 0 || silence > CUT_OFF_MS;
  const lifts = [...world.lifts.values()].sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }));
  const chosen = world.lifts.get(selected);
  return (
    <>
      <header>
        <h1>Liftwatch</h1>
        <span>{word("title", lang)}</span>
        <span className={`pill ${cutOff ? "pill-bad" : ""}`} role="status">
          {cutOff ? "✕" : "●"} {word("live", lang)} {cutOff ? "–" : age(silence, lang)}
        </span>
        <button className="pill" onClick={() => setLang(lang === "zh" ? "en" : "zh")}>
          {lang === "zh" ? "English" : "中文"}
        </button>
        <a className="pill" href={`/account?lang=${lang}`}>
          {word("account", lang)}
        </a>
      </header>
      {cutOff && world.heardAt > 0 && (
        <p className="banner" role="alert">
          {word("disconnected", lang)}
        </p>
      )}
      {world.silent.map((silent) => (
        <p key={silent.gateway} className="banner" role="alert">
          {silent.gateway}: {word("silentGateway", lang)} {silent.lifts_at_risk.join(", ") || word("none", lang)}
        </p>
      ))}
      <main className={cutOff ? "cut-off" : ""}>
        <div>
          <section aria-label={word("lifts", lang)}>
            <h2>
              {word("lifts", lang)} <small>{lifts.length}</small>
            </h2>
            {lifts.length === 0 && <p className="empty">{word("noLifts", lang)}</p>}
            <div className="strips">
              {lifts.map((lift) => (
                <ShaftStrip key={lift.id} lift={lift} lang={lang} now={now} selected={lift.id === selected} onSelect={setSelected} />
              ))}
            </div>
          </section>
          {chosen && <History lift={chosen} lang={lang} onClose={() => setSelected("")} />}
          {chosen && <Health lift={chosen} lang={lang} />}
        </div>
        <Incidents incidents={incidents} all={world.incidents} lifts={world.lifts} lang={lang} wall={Date.now()} onSelect={setSelected} />
      </main>
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
