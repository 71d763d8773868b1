// What to say to who is shut in, in order; a tick says that it was said, and all desks see it.
import type { Case } from "../api/case";
import { useLang } from "../app/language";
import { may } from "../cases/allowed";
import { COMFORT } from "../generated/cases";
import type { Forms } from "./Actions";
import { word } from "./texts";

const MINUTE_MS = 60_000;

export function Comfort({ one, now, forms }: { one: Case; now: number; forms: Forms }) {
  const lang = useLang();
  if (one.kind !== "trapped" || one.phase !== "open") return null;
  const etas = one.legs.filter((leg) => leg.state === "on_the_way" && leg.eta_ms !== null && leg.eta_ms > now).map((leg) => leg.eta_ms!);
  const eta = etas.length > 0 ? word("comfortEta", lang, { minutes: Math.max(1, Math.ceil((Math.min(...etas) - now) / MINUTE_MS)) }) : word("comfortNoEta", lang);
  return (
    <section className="comfort">
      <h2>{word("comfort", lang)}</h2>
      <ol>
        {Object.entries(COMFORT).map(([key, text]) => {
          const said = one.comfort.includes(key);
          return (
            <li key={key}>
              <label className="check">
                <input type="checkbox" checked={said} disabled={said || forms.busy || !may(one, "comfort")} onChange={() => void forms.run("comfort", { keys: [key] })} />
                <span>
                  {text[lang]} {key === "when" && <b>{eta}</b>}
                </span>
              </label>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
