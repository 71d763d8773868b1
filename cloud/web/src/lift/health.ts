// Shapes of a lift's health in the API, and how its figures are written. No drawing here.
import type { Lang } from "../app/language";

export interface Both {
  zh: string;
  en: string;
}

export type Level = "good" | "watch" | "act";

export interface Trend {
  per_week: number;
  low: number;
  high: number;
  days: number;
  direction: "worse" | "better" | "steady" | "more" | "less";
  weeks_to_bad: number | null;
}

export interface Part {
  name: string;
  title: Both;
  meaning: Both;
  action: Both;
  unit: string;
  weight: number;
  limits: { good: number; bad: number; quick: number | null; good_ratio: number | null; bad_ratio: number | null };
  value: number | null;
  mark: number | null;
  level: Level | null;
  reason: Both | null;
  baseline: number | null;
  baseline_days: number;
  trend: Trend | null;
  spread: number | null;
  count: number;
  of: Both;
  days: number;
}

export interface Usage {
  name: string;
  title: Both;
  unit: string;
  per_day: number | null;
  baseline: number | null;
  trend: Trend | null;
  total: number | null;
}

export interface Health {
  lift: string;
  at_ms: number;
  date: string;
  days: number;
  first: string | null;
  score: number | null;
  level: Level | null;
  known: number;
  lowest: string | null;
  reason: Both | null;
  parts: Part[];
  usage: Usage[];
  today: Record<string, number>;
}

export interface Day {
  date: string;
  over: boolean;
  observed_hours: number;
  parts: Record<string, number | null>;
  usage: Record<string, number>;
}

const number = (value: number, lang: Lang, digits: number): string =>
  new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: digits }).format(value);

/** A figure in its unit; times of doors and trips in seconds. */
export function figure(value: number | null, unit: string, lang: Lang): string {
  if (value === null) return "–";
  if (unit === "ms") return `${number(value / 1000, lang, 2)} s`;
  if (unit === "min" && value >= 600) return `${number(value / 60, lang, 0)} h`;
  return unit ? `${number(value, lang, 2)} ${unit}` : number(value, lang, 1);
}

/** "+0.14 s a week"; null where there is none. */
export function weekly(trend: Trend | null, unit: string, lang: Lang): string | null {
  if (trend === null) return null;
  const sign = trend.per_week > 0 ? "+" : trend.per_week < 0 ? "−" : "±";
  const size = figure(Math.abs(trend.per_week), unit, lang);
  return lang === "zh" ? `${sign}${size} / 周` : `${sign}${size} a week`;
}

/** [days since 1970, value or null for each day between the first and the last], so that a day without data is a hole in the line. */
export function series(days: Day[], name: string): [number[], (number | null)[]] {
  const over = days.filter((day) => day.over);
  const first = over[0];
  const last = over[over.length - 1];
  if (!first || !last) return [[], []];
  const values = new Map(over.map((day) => [Date.parse(day.date) / 86_400_000, day.parts[name] ?? null]));
  const times: number[] = [];
  for (let at = Date.parse(first.date) / 86_400_000; at <= Date.parse(last.date) / 86_400_000; at += 1) times.push(at);
  return [times, times.map((at) => values.get(at) ?? null)];
}
