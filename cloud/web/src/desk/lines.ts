// The lines of a case's timeline out of what is known of it: steps, stages of its incidents, notices. Values in, values out.
import type { Case, TimelineEntry } from "../api/case";
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import { word as caseWord } from "../cases/texts";
import { CAUSES, COMFORT, OUTCOMES } from "../generated/cases";
import type { Receipt } from "../generated/api";
import type { Incident } from "../world/model";
import { faultTitle } from "../world/words";
import { word as deskWord } from "./texts";
import { word, type Word } from "./timelineTexts";

export interface Line {
  key: string;
  atMs: number;
  text: string;
  /** Free words of a person, as entered. */
  note: string;
  who: string;
  saidAtMs: number | null;
  look: "" | "bad" | "good" | "quiet";
}

// Said so much earlier than it came, by the sayer's own clock, it is worth a word.
const LATE_MS = 15_000;
const BAD = new Set(["unanswered", "not_arrived", "not_freed", "unacknowledged", "refuse", "nobody_left", "car_not_told", "end_of_alarm_given_up", "not_mended", "no_call_back", "no_cause", "call_reminded", "raised", "pressed_again"]);
const GOOD = new Set(["released", "mended", "close", "car_told", "arrived", "heard_again"]);

const has = (name: string): name is Word & string => {
  try {
    return word(name as Word, "en") !== undefined;
  } catch {
    return false;
  }
};

/** A value of a step's detail, in words where it is a name of ours. */
function valueOf(name: string, value: unknown, lang: Lang): string {
  if (value === null || value === undefined || value === "") return word("unknown", lang);
  const text = String(value);
  if (name === "outcome") return OUTCOMES[text as keyof typeof OUTCOMES]?.[lang] ?? text;
  if (name === "cause") return CAUSES[text as keyof typeof CAUSES]?.[lang] ?? text;
  if (name === "kind") return faultTitle(text, lang);
  if (name === "source") return deskWord(`source_${text as "incident"}`, lang);
  if (name === "alarm" && has(`alarm_${text}`)) return word(`alarm_${text}` as Word, lang);
  if (name === "keys" && Array.isArray(value)) return value.map((key) => COMFORT[key as keyof typeof COMFORT]?.[lang] ?? String(key)).join(" ");
  if (name === "done") return word(value ? "yes" : "no", lang);
  if (name === "until_ms") return clock(Number(value), lang);
  if (name === "said" && has(`said_${text}`)) return word(`said_${text}` as Word, lang).split(/[，,：:]/)[0]!;
  return text;
}

function stepText(step: string, detail: Record<string, unknown>, lang: Lang): string {
  const values = Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, valueOf(name, value, lang)]));
  if (step === "shelve") values.until = values.until_ms!;
  let text = has(step) ? word(step as Word, lang, values).replace(/\{\w+\}/g, word("unknown", lang)) : step;
  const why = typeof detail.why === "string" ? detail.why : "";
  if (why && step !== "raised") text += `${lang === "zh" ? "（" : " ("}${has(`why_${why}`) ? word(`why_${why}` as Word, lang) : why === "by hand" ? word("by_hand", lang) : (OUTCOMES[why as keyof typeof OUTCOMES]?.[lang] ?? why)}${lang === "zh" ? "）" : ")"}`;
  if (typeof detail.eta_min === "number") text += `${caseWord("comma", lang)}${word("minutes", lang, { count: detail.eta_min })}`;
  return text;
}

function ofStep(entry: TimelineEntry, lang: Lang): Line {
  const { step, detail } = entry;
  const note = [detail.note, step === "raised" ? detail.why : ""].filter((part) => typeof part === "string" && part).join(" ");
  const who = entry.name ? (entry.organisation && lang === "zh" ? `${entry.name}（${entry.organisation}）` : [entry.name, entry.organisation && `(${entry.organisation})`].filter(Boolean).join(" ")) : deskWord("system", lang);
  return {
    key: `s${entry.id}`,
    atMs: entry.at_ms,
    text: stepText(step, detail, lang),
    note,
    who,
    saidAtMs: entry.said_at_ms !== null && entry.at_ms - entry.said_at_ms > LATE_MS ? entry.said_at_ms : null,
    look: BAD.has(step) ? "bad" : GOOD.has(step) ? "good" : "",
  };
}

function ofIncident(one: Incident, lang: Lang): Line[] {
  const what = faultTitle(one.kind, lang);
  const line = (key: string, atMs: number | null, text: string, look: Line["look"]): Line[] =>
    atMs === null ? [] : [{ key: `i${one.id}${key}`, atMs, text, note: "", who: "", saidAtMs: null, look }];
  const { stages } = one;
  return [
    ...line("onset", stages.onset, word("onset", lang, { what }), "bad"),
    ...line("detected", stages.detected, word("detected", lang, { what }), ""),
    ...line("committed", stages.committed, word("committed", lang, { what }), "quiet"),
    ...one.deliveries.flatMap((delivery) =>
      delivery.destination === "cloud" ? [] : line(`${delivery.destination}${delivery.rev}`, delivery.receipted, word("receipted", lang, { what, place: delivery.destination === "city" ? word("city", lang) : delivery.destination }), "quiet"),
    ),
    ...line("ended", one.closed_at_ms, word("ended", lang, { what }), "good"),
  ];
}

function ofNotice(one: Receipt, lang: Lang): Line {
  const values = { organisation: one.organisation_name, channel: word(`channel_${one.channel_kind}`, lang), kind: word(one.kind, lang) };
  return {
    key: `n${one.id}`,
    atMs: one.done_at_ms ?? one.made_at_ms,
    text: word(`notice_${one.state}`, lang, values),
    note: one.state === "dead" ? [one.code, one.detail].filter(Boolean).join(" ") : "",
    who: "",
    saidAtMs: null,
    look: one.state === "dead" ? "bad" : "quiet",
  };
}

/** The newest first. */
export function linesOf(one: Case, entries: readonly TimelineEntry[], incidents: ReadonlyMap<string, Incident>, notices: readonly Receipt[], lang: Lang): Line[] {
  const told = one.incidents.map((id) => incidents.get(id)).filter((incident) => incident !== undefined);
  const lines = [...entries.map((entry) => ofStep(entry, lang)), ...told.flatMap((incident) => ofIncident(incident, lang)), ...notices.map((notice) => ofNotice(notice, lang))];
  return lines.map((line, at) => ({ line, at })).sort((a, b) => b.line.atMs - a.line.atMs || b.at - a.at).map(({ line }) => line);
}
