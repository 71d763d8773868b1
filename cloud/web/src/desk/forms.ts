// The forms of the desk: what each step asks for, and what is said to the server of it.
import type { Case } from "../api/case";
import { levelsOf, may } from "../cases/allowed";
import { numberOf, type FieldSpec, type FormSpec, type Values } from "../cases/StepDialog";
import { word as caseWord, type Word as CaseWord } from "../cases/texts";
import type { Lang } from "../app/language";
import { CAUSES, CAUSE_GROUPS, OUTCOMES, OUTCOMES_OF } from "../generated/cases";
import { word } from "./texts";

export type FormName =
  | "persons" | "note" | "no_rescue" | "released" | "call_back" | "cause" | "close" | "raise" | "link" | "caller" | "order" | "called_119"
  | "called_station" | "refuse" | "on_the_way" | "mended";

/** A form of a step, about one level where the step is about one. */
export interface Asked {
  form: FormName;
  level?: number;
}

export interface Form extends FormSpec {
  step: string;
  args: (values: Values) => Record<string, unknown>;
}

const text = (values: Values, name: string): string => String(values[name] ?? "").trim();
const NOT_RESCUE = ["false_alarm", "nobody_inside", "test_or_drill"] as const;

export const causeOptions = (lang: Lang) =>
  Object.entries(CAUSES).map(([value, cause]) => ({ value, label: cause[lang], group: CAUSE_GROUPS[cause.group][lang] }));

export const outcomeOptions = (names: readonly string[], lang: Lang) =>
  names.map((value) => ({ value, label: OUTCOMES[value as keyof typeof OUTCOMES]?.[lang] ?? value }));

function persons(one: Case, lang: Lang): FieldSpec[] {
  return [
    { name: "count", label: word("personsCount", lang), kind: "number", value: String(one.persons?.count ?? "") },
    { name: "injured", label: word("personsHurt", lang), kind: "number", value: String(one.persons?.injured ?? "") },
  ];
}

const note = (lang: Lang, required = false): FieldSpec => ({ name: "note", label: word("noteLabel", lang), kind: "long", required });
const counts = (values: Values) => ({ count: numberOf(values.count), injured: numberOf(values.injured) });
const cause = (one: Case, lang: Lang): FieldSpec => ({ name: "cause", label: word("causeLabel", lang), kind: "choice", options: causeOptions(lang), value: one.cause });

/** The form as it is for this case; `asked.level` where the step is about one. */
export function formOf(one: Case, { form, level }: Asked, lang: Lang): Form {
  const confirm = word("confirm", lang);
  const leveled = level === undefined ? {} : { level };
  switch (form) {
    case "persons":
      return { step: "persons", title: word("personsTitle", lang), confirm: word("save", lang), fields: persons(one, lang), args: counts };
    case "note":
      return { step: "note", title: word("noteTitle", lang), confirm: word("save", lang), fields: [note(lang, true)], args: (values) => ({ note: text(values, "note") }) };
    case "no_rescue":
      return {
        step: "no_rescue", title: word("falseAlarmTitle", lang), confirm, danger: true,
        fields: [
          { name: "outcome", label: word("outcome", lang), kind: "choice", required: true, value: "false_alarm", options: outcomeOptions(NOT_RESCUE, lang) },
          { name: "note", label: word("howKnown", lang), kind: "long", required: true },
        ],
        args: (values) => ({ ...ownLevel(one, "no_rescue"), outcome: values.outcome, note: text(values, "note") }),
      };
    case "released":
      return {
        step: "released", title: word("releaseTitle", lang), explains: word("releaseHow", lang), confirm,
        fields: [
          { name: "competent", label: word("competent", lang), kind: "text", required: true, value: one.legs.find((leg) => leg.state === "arrived")?.responder ?? "" },
          { name: "outcome", label: word("outcome", lang), kind: "choice", required: true, value: "released", options: outcomeOptions(["released", "self_released"], lang) },
          ...persons(one, lang),
          note(lang),
        ],
        args: (values) => ({ ...ownLevel(one, "released"), ...counts(values), outcome: values.outcome, competent: text(values, "competent"), note: text(values, "note") }),
      };
    case "call_back":
      return {
        step: "call_back", title: word("callBackTitle", lang), confirm: word("save", lang),
        fields: [{ name: "done", label: word("callBackDone", lang), kind: "check", value: true }, { name: "note", label: word("callBackNote", lang), kind: "long" }],
        args: (values) => ({ done: values.done === true, note: text(values, "note") }),
      };
    case "cause":
      return {
        step: "cause", title: word("causeTitle", lang), confirm: word("save", lang), fields: [{ ...cause(one, lang), required: true }, note(lang)],
        args: (values) => ({ cause: values.cause, note: text(values, "note") }),
      };
    case "close":
      return {
        step: "close", title: word("closeTitle", lang), confirm: word("closeTitle", lang),
        fields: [
          { name: "outcome", label: word("outcome", lang), kind: "choice", required: true, value: one.outcome ?? "", options: outcomeOptions(OUTCOMES_OF[one.kind], lang) },
          ...(one.kind === "trapped" || one.kind === "fault" ? [cause(one, lang)] : []),
          note(lang),
        ],
        args: (values) => ({ outcome: values.outcome || null, cause: values.cause ?? "", note: text(values, "note") }),
      };
    case "raise":
      return {
        step: "raise", title: word("raiseTitle", lang), confirm, danger: true, fields: [{ name: "note", label: word("raiseNote", lang), kind: "long", required: true }],
        args: (values) => ({ note: text(values, "note") }),
      };
    case "link":
      return { step: "link", title: word("linkTitle", lang), confirm, fields: [{ name: "code", label: word("linkLabel", lang), kind: "tel", required: true }], args: (values) => ({ code: text(values, "code") }) };
    case "caller":
      return {
        step: "caller", title: word("callerTitle", lang), confirm: word("save", lang),
        fields: [
          { name: "name", label: word("callerName", lang), kind: "text" },
          { name: "phone", label: word("callerPhone", lang), kind: "tel" },
          { name: "place", label: word("place", lang), kind: "text", value: one.place },
        ],
        args: (values) => ({ name: text(values, "name"), phone: text(values, "phone"), place: text(values, "place") }),
      };
    case "order":
      return {
        step: "order", title: word("orderTitle", lang, { name: caseWord(`level_${level}` as CaseWord, lang) }), explains: level === 3 ? word("order3", lang) : undefined,
        confirm: word("order", lang, { level: level! }), danger: true, fields: [{ name: "note", label: word("orderNote", lang), kind: "text" }],
        args: (values) => ({ ...leveled, note: text(values, "note") }),
      };
    case "called_119":
    case "called_station":
      return {
        step: form, title: word("calledTitle", lang), confirm: word("save", lang), fields: [{ name: "note", label: word("calledNote", lang), kind: "text", required: true }],
        args: (values) => ({ note: text(values, "note") }),
      };
    case "refuse":
      return {
        step: "refuse", title: word("refuseTitle", lang), confirm, fields: [{ name: "reason", label: word("reason", lang), kind: "text", required: true }],
        args: (values) => ({ ...leveled, reason: text(values, "reason") }),
      };
    case "on_the_way":
      return {
        step: "on_the_way", title: word("onTheWayTitle", lang), confirm: word("save", lang), fields: [{ name: "eta_min", label: word("etaLabel", lang), kind: "number", max: 720 }],
        args: (values) => ({ ...leveled, eta_min: numberOf(values.eta_min) }),
      };
    case "mended":
      return {
        step: "mended", title: word("mendedTitle", lang), confirm: word("save", lang),
        fields: [
          { name: "outcome", label: word("outcome", lang), kind: "choice", required: true, value: "mended", options: outcomeOptions(["mended", "no_fault_found"], lang) },
          cause(one, lang),
          note(lang),
        ],
        args: (values) => ({ ...leveled, outcome: values.outcome, cause: values.cause, note: text(values, "note") }),
      };
  }
}

/** The level by which it is said: of who is there; without one it is by the desk's word. */
function ownLevel(one: Case, step: string): { level?: number } {
  const [level] = levelsOf(one, step);
  return level === undefined || may(one, step) ? {} : { level };
}
