// The head of every page: where one is, whether it is live, sound, colours, language, account.
import { useEffect, useRef, useState } from "react";
import { Shift } from "../alarm/Shift";
import { useConnection, world } from "../world/store";
import { age } from "./format";
import { useLang } from "./language";
import { Link } from "./Link";
import { address, setQuery, usePlace } from "./router";
import { KeysHelp } from "./keys";
import { useMe } from "./me";
import { PAGES, type Page } from "./pages";
import { word } from "./texts";
import { useTheme, type Theme } from "./theme";
import { onTick } from "./time";

const THEMES: readonly Theme[] = ["system", "dark", "light"];

/** "Live 0.3 s": how long ago anything was heard; counts by itself, without drawing the header anew. */
export function LivePill() {
  const lang = useLang();
  const state = useConnection();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const show = () => {
      if (place.current) place.current.textContent = state === "current" ? age(performance.now() - world.link.heardAt, lang) : "";
    };
    show();
    return onTick(show);
  }, [state, lang]);
  const text = word(state === "current" ? "live" : state === "new" ? "connecting" : "cutOff", lang);
  return (
    <span className={`pill live-pill ${state === "lost" ? "pill-bad" : ""}`}>
      <span role="status">
        {state === "current" ? "●" : "✕"} <span className={state === "current" ? "live-word" : ""}>{text}</span>
      </span>{" "}
      <span className="figures" ref={place} aria-hidden="true" />
    </span>
  );
}

export function LanguageButton() {
  const lang = useLang();
  return (
    <button className="pill" lang={lang === "zh" ? "en" : "zh-CN"} onClick={() => setQuery({ lang: lang === "zh" ? "en" : "zh" })}>
      {lang === "zh" ? "English" : "中文"}
    </button>
  );
}

export function Header({ page, children }: { page: Page | null; children?: React.ReactNode }) {
  const lang = useLang();
  const me = useMe();
  const [theme, setTheme] = useTheme();
  const { path } = usePlace(); // the links keep the language of the address, too
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <header className="frame-head">
      <h1>
        <Link href={address("/")}>Liftwatch</Link>
      </h1>
      <LivePill />
      <Shift />
      {children}
      <button className="pill menu-button" aria-expanded={isOpen} aria-controls="frame-menu" aria-label={word("menu", lang)} onClick={() => setOpen(!isOpen)}>
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" className="icon">
          <path className="stroke" d="M3 5h14M3 10h14M3 15h14" />
        </svg>
      </button>
      <div id="frame-menu" className={isOpen ? "frame-menu frame-menu-open" : "frame-menu"}>
        <nav aria-label={word("pages", lang)}>
          {PAGES.filter((one) => one.inMenu && (one.permission === null || me?.permissions.includes(one.permission))).map((one) => (
            <Link key={one.name} href={address(one.path)} aria-current={one === page ? "page" : undefined}>
              {word(`title_${one.name}`, lang)}
            </Link>
          ))}
        </nav>
        <label className="pill theme">
          <span className="visually-hidden">{word("theme", lang)}</span>
          <select value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
            {THEMES.map((name) => (
              <option key={name} value={name}>
                {word(`theme_${name}`, lang)}
              </option>
            ))}
          </select>
        </label>
        <KeysHelp />
        <LanguageButton />
        <a className="pill" href={`/account?lang=${lang}`}>
          {me?.name || word("account", lang)}
        </a>
      </div>
    </header>
  );
}
