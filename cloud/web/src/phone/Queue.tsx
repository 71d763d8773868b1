// What was said and not heard yet, and what was refused: nothing is lost silently.
import { refusalWords } from "../cases/refusals";
import { clock } from "../app/format";
import { useLang, type Lang } from "../app/language";
import { problemText, ApiProblem } from "../api/client";
import { word as stepWord, type Word as StepWord } from "../desk/timelineTexts";
import type { Item } from "./kept";
import { outbox } from "./outbox";
import { word } from "./texts";
import { word as caseWord } from "../cases/texts";

const what = (item: Item, lang: Lang): string => {
  if (item.kind === "photo") return word("photo", lang);
  const { note, ...args } = item.args;
  const values = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, String(value ?? "–")]));
  return stepWord(`said_${item.step}` as StepWord, lang, values);
};

export function Waiting({ items }: { items: readonly Item[] }) {
  const lang = useLang();
  const waiting = items.filter((item) => !item.refused);
  const refused = items.filter((item) => item.refused);
  if (items.length === 0) return null;
  return (
    <section className="outbox" aria-live="polite">
      {waiting.length > 0 && (
        <>
          <h2>{word("waiting", lang, { count: waiting.length })}</h2>
          <ol>
            {waiting.map((item) => (
              <li key={item.op}>
                <time className="figures">{clock(item.atMs, lang)}</time> {what(item, lang)}
                {item.preview && <img src={item.preview} alt="" />}
              </li>
            ))}
          </ol>
        </>
      )}
      {refused.length > 0 && (
        <>
          <h2 className="problem">{word("refused", lang, { count: refused.length })}</h2>
          <ul>
            {refused.map((item) => (
              <li key={item.op}>
                <span>
                  <time className="figures">{clock(item.atMs, lang)}</time> {what(item, lang)}: <b>{why(item, lang)}</b>
                </span>
                <button className="button" onClick={() => void outbox.dismiss(item)}>
                  {word("dismiss", lang)}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function why(item: Item, lang: Lang): string {
  const { status, reason, text, kept } = item.refused!;
  const words = reason ? refusalWords(reason, text, lang) : problemText(new ApiProblem(status, text), lang);
  return kept ? `${words} · ${caseWord("keptLate", lang)}` : words;
}
