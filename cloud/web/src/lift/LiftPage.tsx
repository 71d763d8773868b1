// The page of one lift: what it is, and its parts. Part, range of time and chosen event stand in the address.
import { useEffect, useState } from "react";
import { useKeys } from "../app/keys";
import { useLang } from "../app/language";
import { Link } from "../app/Link";
import { address, go, here, useQuery } from "../app/router";
import { badgeOf, SYMBOLS } from "../live/Strip";
import { isGone } from "../world/model";
import { useConnection, useEntries, useLift, useTrouble } from "../world/store";
import { Events } from "./Events";
import { Health } from "./Health";
import { HistoryTab } from "./HistoryTab";
import "./lift.css";
import { Now } from "./Now";
import { word } from "./texts";

const TABS = ["now", "history", "events", "health"] as const;
// After the first snapshot a lift that is not in it is not there.
const PATIENCE_MS = 1500;

export default function LiftPage({ parts }: { parts: Record<string, string> }) {
  const lang = useLang();
  const id = parts.lift!;
  const lift = useLift(id);
  const trouble = useTrouble(id);
  const [tab] = useQuery("tab", "now");
  const state = useConnection();
  useEntries(); // a snapshot with or without it
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [id]);
  const to = (name: string) => address(here().path, name === "now" ? {} : { tab: name });
  const back = address("/", { lift: id });
  useKeys([
    ...TABS.map((name, at) => ({
      keys: [String(at + 1)], does: { zh: word(`tab_${name}`, "zh"), en: word(`tab_${name}`, "en") }, run: () => go(to(name)),
    })),
    { keys: ["Backspace"], does: { zh: word("keyBack", "zh"), en: word("keyBack", "en") }, run: () => go(back) },
  ]);
  if (!lift)
    return (
      <p className="nothing" role="status">
        {state === "current" && isOver ? word("notThere", lang, { lift: id }) : word("notYet", lang)} <Link href={address("/")}>{word("keyBack", lang)}</Link>
      </p>
    );
  const badge = badgeOf(lift, trouble, lang);
  return (
    <>
      <div className={`lift-head lift-${trouble}${isGone(lift) ? " lift-old" : ""}`}>
        <Link className="button" href={back}>
          ← {word("back", lang)}
        </Link>
        <h2>
          {lift.name}{" "}
          {badge && (
            <span className="lift-badge">
              {SYMBOLS[trouble]} {badge}
            </span>
          )}
        </h2>
        <p>
          <span className="rescue-code">
            {word("rescue", lang)} <b className="figures">{lift.rescue_code || "–"}</b>
          </span>{" "}
          <span>
            {lift.address || `${word("site", lang)} ${lift.site}`}
            {lift.registration_code && (
              <>
                {" "}
                · {word("registration", lang)} {lift.registration_code}
              </>
            )}
          </span>
        </p>
        <nav aria-label={word("tabs", lang)}>
          {TABS.map((name) => (
            <Link key={name} href={to(name)} aria-current={name === tab ? "page" : undefined}>
              {word(`tab_${name}`, lang)}
            </Link>
          ))}
        </nav>
      </div>
      {tab === "history" ? <HistoryTab lift={lift} /> : tab === "events" ? <Events lift={lift} /> : tab === "health" ? <Health lift={lift} lang={lang} /> : <Now lift={lift} />}
    </>
  );
}
