// How times, ages and numbers are written. Times are those of the browser's zone.
import type { Lang } from "./language";

const locale = (lang: Lang): string => (lang === "zh" ? "zh-CN" : "en-GB");

// Making one costs more than using it a thousand times.
const made = new Map<string, Intl.DateTimeFormat>();
function format(lang: Lang, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang + JSON.stringify(options);
  let found = made.get(key);
  if (!found) made.set(key, (found = new Intl.DateTimeFormat(locale(lang), options)));
  return found;
}

/** "0.4 s", "6 min 52 s", "3 h 5 min", "12 d 4 h"; "–" where it is unknown. */
export function age(ms: number | null, lang: Lang): string {
  if (ms === null) return "–";
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return lang === "zh" ? `${m} 分 ${Math.floor(s % 60)} 秒` : `${m} min ${Math.floor(s % 60)} s`;
  const h = Math.floor(m / 60);
  if (h < 48) return lang === "zh" ? `${h} 小时 ${m % 60} 分` : `${h} h ${m % 60} min`;
  return lang === "zh" ? `${Math.floor(h / 24)} 天 ${h % 24} 小时` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** "1:47" or "2:03:09": for what is counted while somebody waits. */
export function counted(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  return s < 3600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export const clock = (ms: number, lang: Lang): string =>
  format(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(ms);

/** Day and time; the year only where it is another one. */
export const dayAndClock = (ms: number, lang: Lang): string =>
  format(lang, {
    ...(new Date(ms).getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" }),
    month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
  }).format(ms);

export const number = (value: number, lang: Lang, digits = 0): string =>
  new Intl.NumberFormat(locale(lang), { maximumFractionDigits: digits }).format(value);

/** A time on an axis whose marks are `everyS` apart. */
export function tick(ms: number, everyS: number, lang: Lang): string {
  if (everyS >= 86_400) return format(lang, { month: "2-digit", day: "2-digit" }).format(ms);
  if (everyS >= 3600) return format(lang, { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false }).format(ms);
  return everyS >= 60 ? format(lang, { hour: "2-digit", minute: "2-digit", hour12: false }).format(ms) : clock(ms, lang);
}
