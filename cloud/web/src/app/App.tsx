// The frame round every page: language, head, banners, and the page that the address names.
import { Component, Suspense, useEffect, type ReactNode } from "react";
import { useAttention } from "../alarm/attention";
import { useConnection, useSilent } from "../world/store";
import { watch } from "../world/stream";
import { Header } from "./Header";
import { LangContext, useLang, type Lang } from "./language";
import { Link } from "./Link";
import { useMe } from "./me";
import { pageAt } from "./pages";
import { address, go, usePlace } from "./router";
import { word } from "./texts";

const RELOAD_MS = 5000;

/** A page that fails is loaded anew: at night nobody may look at a blank one. */
class Caught extends Component<{ children: ReactNode; text: string }, { failed: boolean }> {
  state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  componentDidCatch() {
    setTimeout(() => location.reload(), RELOAD_MS);
  }
  render() {
    return this.state.failed ? (
      <p className="banner" role="alert">
        {this.props.text}
      </p>
    ) : (
      this.props.children
    );
  }
}

function Banners() {
  const lang = useLang();
  const state = useConnection();
  const silent = useSilent();
  return (
    <>
      {state === "lost" && (
        <p className="banner" role="alert">
          {word("disconnected", lang)}
        </p>
      )}
      {silent.map((one) => (
        <p key={one.gateway} className="banner" role="alert">
          {word("silentGateway", lang, { gateway: one.gateway, lifts: one.lifts_at_risk.join(", ") || word("none", lang) })}
        </p>
      ))}
    </>
  );
}

function useLanguage(): Lang {
  const asked = usePlace().query.get("lang");
  const own = useMe()?.language;
  const first = navigator.language.startsWith("zh") ? "zh" : "en";
  return asked === "en" || asked === "zh" ? asked : (own ?? first);
}

export function App() {
  const place = usePlace();
  const lang = useLanguage();
  const found = pageAt(place.path);
  const lost = useConnection() === "lost";
  useEffect(() => watch(), []);
  // An address of the live view with wall=1 is the wall, with what else it says.
  useEffect(() => {
    if (place.path === "/" && place.query.get("wall") === "1") go(address("/wall"), true);
  }, [place]);
  useEffect(() => void (document.documentElement.lang = lang === "zh" ? "zh-CN" : "en"), [lang]);
  useAttention(word(found ? `title_${found.page.name}` : "notThere", lang), lang);
  const Shown = found?.page.shows;
  return (
    <LangContext.Provider value={lang}>
      <Caught text={word("broken", lang)}>
        {!found?.page.bare && <Header page={found?.page ?? null} />}
        <Banners />
        <main className={`page page-${found?.page.name ?? "none"} ${lost ? "cut-off" : ""}`}>
          <Suspense fallback={<p className="empty">{word("loading", lang)}</p>}>
            {Shown ? (
              <Shown parts={found.parts} />
            ) : (
              <p className="empty">
                {word("notThere", lang)}. <Link href={address("/")}>{word("toLive", lang)}</Link>
              </p>
            )}
          </Suspense>
        </main>
      </Caught>
    </LangContext.Provider>
  );
}
