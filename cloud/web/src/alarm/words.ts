// What an alarm is called.
import type { Lang } from "../app/language";
import type { Case, Incident } from "../world/model";
import { faultTitle } from "../world/words";
import { word } from "./texts";

/** By the worst incident that it is about, else by its kind. */
export function caseTitle(one: Case, incidents: ReadonlyMap<string, Incident>, lang: Lang): string {
  const worst = one.incidents
    .map((id) => incidents.get(id))
    .filter((incident) => incident !== undefined)
    .sort((a, b) => b.severity - a.severity)[0];
  return worst && worst.severity >= one.severity ? faultTitle(worst.kind, lang) : word(`kind_${one.kind}`, lang);
}
