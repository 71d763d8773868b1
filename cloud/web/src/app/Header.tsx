// The head of every page: where one is, whether it is live, sound, colours, language, account.
import { useEffect, useRef } from "react";
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
        {state === "current" ? "●" : "✕"} {text}
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
  usePlace(); // the links keep the language of the address
  return (
    <header className="frame-head">
      <h1>
        <Link href={address("/")}>Liftwatch</Link>
      </h1>
      <nav aria-label={word("pages", lang)}>
        {PAGES.filter((one) => one.inMenu && (one.permission === null || me?.permissions.includes(one.permission))).map((one) => (
          <Link key={one.name} href={address(one.path)} aria-current={one === page ? "page" : undefined}>
            {word(`title_${one.name}`, lang)}
          </Link>
        ))}
      </nav>
      <LivePill />
      <Shift />
      {children}
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
    </header>
  );
}
