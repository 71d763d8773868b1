// How many are inside, in words.
import type { Case } from "../api/case";
import type { Lang } from "../app/language";
import { word } from "../cases/texts";

/** "2 inside, nobody hurt"; unknown is said as unknown. Empty for what has no car. */
export function inWords(one: Case, lang: Lang): string {
  if (one.kind === "gateway_silent") return "";
  const { count = null, injured = null } = one.persons ?? {};
  if (count === null && injured === null) return one.kind === "trapped" ? word("personsUnknown", lang) : "";
  const many = count === null ? word("personsUnknown", lang) : count === 0 ? word("personsNone", lang) : word("persons", lang, { count });
  const hurt = injured === null ? "" : injured === 0 ? word("notHurt", lang) : word("injured", lang, { count: injured });
  return [many, hurt].filter(Boolean).join(word("comma", lang));
}
