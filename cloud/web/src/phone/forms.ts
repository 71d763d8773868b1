// The forms of the phone where they are otherwise than at the desk: who is on site says by his own word.
import type { Case } from "../api/case";
import type { Lang } from "../app/language";
import { numberOf, type FieldSpec } from "../cases/StepDialog";
import { causeOptions, formOf, outcomeOptions, type Asked, type Form } from "../desk/forms";
import { word as deskWord } from "../desk/texts";
import { word } from "./texts";

/** The form, and the level that it is said for. */
export function phoneForm(one: Case, asked: Asked, lang: Lang, isContractor: boolean): Form {
  if (asked.form !== "released") return formOf(one, asked, lang);
  const cause: FieldSpec = { name: "cause", label: deskWord("causeLabel", lang), kind: "choice", options: causeOptions(lang), value: one.cause };
  return {
    step: "released",
    title: deskWord("releaseTitle", lang),
    explains: word("releasedHow", lang),
    confirm: deskWord("confirm", lang),
    fields: [
      { name: "outcome", label: deskWord("outcome", lang), kind: "choice", required: true, value: "released", options: outcomeOptions(["released", "self_released"], lang) },
      { name: "count", label: deskWord("personsCount", lang), kind: "number", value: String(one.persons?.count ?? "") },
      { name: "injured", label: deskWord("personsHurt", lang), kind: "number", value: String(one.persons?.injured ?? "") },
      ...(isContractor ? [cause] : []),
      { name: "note", label: deskWord("noteLabel", lang), kind: "long" },
    ],
    args: (values) => ({ outcome: values.outcome, count: numberOf(values.count), injured: numberOf(values.injured), note: String(values.note).trim() }),
  };
}
