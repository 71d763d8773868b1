// How long the technician has for what comes next.
import type { Case, Leg } from "../api/case";
import { counted } from "../app/format";
import type { Lang } from "../app/language";
import { clockOf } from "../desk/ladder";
import { word as deskWord } from "../desk/texts";
import { word } from "./texts";

/** "Arrival: 12:03 left", of his own level; null where no clock of his runs. */
export function dueOf(one: Case, leg: Leg | null, now: number, lang: Lang): { text: string; isOver: boolean } | null {
  const running = leg && one.phase === "open" ? clockOf(leg) : null;
  if (!running) return null;
  const isOver = running.dueMs < now;
  const values = { clock: deskWord(`clock_${running.name}`, lang), time: counted(Math.abs(running.dueMs - now)) };
  return { text: word(isOver ? "over" : "within", lang, values), isOver };
}
