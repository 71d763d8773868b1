// Sentences of what is known of a lift, for any part that tells them.
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import { FAULTS } from "../generated/contract";
import type { FaultName, FaultWord, State } from "./model";
import { word } from "./texts";

/** A fault of the table by its name, in words; the name itself where this page is older than the table. */
export const faultTitle = (name: string, lang: Lang): string => FAULTS[name as FaultName]?.title[lang] ?? name;

/** "Controller fault 41: Safety circuit open"; a word without a name has its number in the cause already. */
export const controllerFault = (fault: FaultWord, lang: Lang): string =>
  `${word("controllerFault", lang)}${fault.known ? ` ${fault.word}` : ""}: ${fault.cause[lang]}`;

export const atFloor = (floor: number, lang: Lang): string =>
  lang === "zh" ? `${floor} ${word("floor", lang)}` : `${word("floor", lang)} ${floor}`;

/** "Last known 14:03:22: occupied · floor 3 · between floors". */
export function lastKnown(state: Partial<State>, at: number, lang: Lang): string {
  const who = state.passenger === true ? word("person", lang) : state.passenger === false ? word("nobody", lang) : word("whoUnknown", lang);
  const floor = state.floor == null ? [] : [atFloor(state.floor, lang)];
  const between = state.door_zone === false ? [word("between", lang)] : [];
  return `${word("lastKnown", lang)} ${clock(at, lang)}: ${[who, ...floor, ...between].join(" · ")}`;
}
