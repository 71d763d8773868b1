// How the values of a lift's state are written: by the field table, with their units.
import { number } from "../app/format";
import type { Lang } from "../app/language";
import { ENUMS, FIELDS } from "../generated/contract";
import { floorName, type Shaft } from "../shaft/geometry";
import type { Value } from "./series";
import { word } from "./texts";

export type Field = keyof typeof FIELDS;
export const FIELD_NAMES = Object.keys(FIELDS) as Field[];

/** One value of one field; "unknown" where it is not known. */
export function written(field: Field, value: Value, shaft: Shaft, lang: Lang): string {
  if (value === null) return word("unknown", lang);
  const { kind, unit, enum: table } = FIELDS[field];
  if (kind === "bool") return word(value ? "yes" : "no", lang);
  if (table !== null) return (ENUMS[table] as Record<string, { zh: string; en: string }>)[String(value)]?.[lang] ?? String(value);
  if (field === "floor") return floorName(shaft, Number(value)) ?? String(value);
  if (field === "speed_mm_s") return `${number(Number(value) / 1000, lang, 2)} m/s`;
  if (field === "position_mm") return `${number(Number(value) / 1000, lang, 2)} m`;
  if (field === "load_permille") return `${number(Number(value) / 10, lang, 1)} %`;
  return unit && unit !== "stop" ? `${number(Number(value), lang)} ${unit}` : number(Number(value), lang);
}
