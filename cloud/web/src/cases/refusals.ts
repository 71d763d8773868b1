// Why the server refused a step, in the reader's language: by the key that it gives; its own English words where this page is older.
import type { StepRefusal } from "../api/case";
import { ApiProblem, problemText } from "../api/client";
import type { Lang } from "../app/language";
import { word, type Word } from "./texts";

const KNOWN = [
  "nobodys", "anothers", "not_yours", "kind", "phase", "leg", "which_level", "on_no_shelf", "on_shelf", "no_lift", "acknowledged",
  "about_a_lift", "another_comes", "by_telephone", "given_up", "note", "reason", "shelf_end", "persons", "unit", "competent", "released",
  "mended", "no_rescue", "cause", "cause_known", "call_back", "end", "comfort",
] as const;

/** The refusal in a problem, null where it is another problem. */
export function refusalOf(error: unknown): StepRefusal | null {
  if (!(error instanceof ApiProblem) || error.status !== 409) return null;
  const detail = (error.body as { detail?: Partial<StepRefusal> | null } | null)?.detail;
  return detail?.case ? (detail as StepRefusal) : null; // "busy" and "op used" tell no case
}

export function refusalText(found: StepRefusal, lang: Lang): string {
  const known = KNOWN.find((reason) => reason === found.reason);
  const has = found.case.acknowledged;
  const who = !has ? "" : has.organisation ? (lang === "zh" ? `${has.name}（${has.organisation}）` : `${has.name} (${has.organisation})`) : has.name;
  const legs = found.case.legs.map((leg) => `${word("levelShort", lang, { level: leg.level })} ${word(`leg_${leg.state}`, lang)}`).join(word("comma", lang));
  const text = lang === "en" ? found.text : known === "end" ? word("endOpen", lang) : found.text;
  return word(known ? (`refusal_${known}` as Word) : "refusal_other", lang, { who, legs, phase: word(`phase_${found.case.phase}`, lang), text });
}

/** Likewise where the case as it was then is not at hand any more. */
export function refusalWords(reason: string, text: string, lang: Lang): string {
  const plain = { nobodys: "refusal_taken", leg: "refusal_passed", phase: "refusal_passed", end: "refusal_open" } as const;
  const known = KNOWN.find((name) => name === reason);
  const name = plain[reason as keyof typeof plain] ?? (known ? (`refusal_${known}` as Word) : "refusal_other");
  return word(name, lang, { text });
}

/** What to tell a person whose step did not go through. */
export function stepProblem(error: unknown, lang: Lang): string {
  const found = refusalOf(error);
  if (found) return refusalText(found, lang);
  return error instanceof ApiProblem && error.status === 409 ? word("refusal_op", lang) : problemText(error, lang);
}
