// Where a car is, in words.
import { number } from "../app/format";
import type { Lang } from "../app/language";
import { floorName, hangs, type Shaft } from "../shaft/geometry";
import type { State } from "../world/model";
import { word } from "./texts";

/** "+1.3 m above floor 11", "At floor 3", "Position unknown". */
export function placeText(state: State, shaft: Shaft, lang: Lang): string {
  const hung = hangs(state, shaft);
  if (hung) return word(hung.overMm > 0 ? "offsetOver" : "offsetUnder", lang, { metres: number(Math.abs(hung.overMm) / 1000, lang, 1), floor: hung.name });
  const floor = floorName(shaft, state.floor);
  return floor === null ? word("positionUnknown", lang) : word("at", lang, { floor });
}
