// What calls for attention while nobody looks at the page: sound, the count in title and favicon, notifications of the system.
import { useEffect, useRef } from "react";
import type { Lang } from "../app/language";
import { onTick, serverNow } from "../app/time";
import type { Case } from "../world/model";
import { useCases, useIncidents, world } from "../world/store";
import { countOf, isNew, listed, soundingOf } from "./alarms";
import { caseTitle } from "./words";
import { resumeShift, sound } from "./sound";
import { word } from "./texts";

const ICON = 32;
// What is older when it is first seen here is no news: others were told of it. Ours.
const NEWS_MS = 120_000;

/** By a gesture, else browsers do not ask. */
export function askToNotify(): void {
  if ("Notification" in window && Notification.permission === "default") void Notification.requestPermission().catch(() => undefined);
}

/** A page's own icon with the number of what is open; red where somebody is trapped. */
function badge(count: number, isDanger: boolean): string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = ICON;
  const pen = canvas.getContext("2d");
  if (!pen) return "data:,";
  pen.fillStyle = count === 0 ? "#41505c" : isDanger ? "#d4380d" : "#b07d00";
  pen.beginPath();
  pen.roundRect(1, 1, ICON - 2, ICON - 2, 7);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `bold ${count > 9 ? 17 : 21}px sans-serif`;
  pen.fillText(count === 0 ? "⇅" : count > 99 ? "99" : String(count), ICON / 2, ICON / 2 + 1);
  return canvas.toDataURL();
}

function notify(one: Case, lang: Lang): void {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const lift = world.lifts.get(one.lift);
  const shown = new Notification(caseTitle(one, world.incidents, lang), {
    body: [lift?.name ?? one.lift, one.rescue_code, lift?.address].filter(Boolean).join(" · "),
    tag: one.id,
    requireInteraction: one.severity >= 4,
  });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

/** For the whole page: title, icon, sound, notifications. */
export function useAttention(title: string, lang: Lang): void {
  const incidents = useIncidents();
  const cases = useCases();
  const told = useRef(new Set<string>());
  const open = countOf(listed(cases, incidents));
  const worst = soundingOf(cases, incidents, serverNow());
  useEffect(() => void (document.title = `${open > 0 ? `(${open}) ` : ""}${title} · Liftwatch`), [title, open]);
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (icon) icon.href = badge(open, worst >= 4);
  }, [open, worst]);
  useEffect(() => resumeShift(), []);
  useEffect(() => {
    sound(worst);
    return onTick(() => sound(soundingOf(world.cases, world.incidents, serverNow())));
  }, [worst]);
  useEffect(() => {
    for (const one of cases.values()) {
      if (!isNew(one) || told.current.has(one.id) || serverNow() - one.opened_at_ms > NEWS_MS) continue;
      told.current.add(one.id);
      notify(one, lang);
    }
  }, [cases, lang]);
}

/** What a screen reader is told at once: only that somebody is newly trapped. */
export const urgent = (fresh: readonly Case[], lang: Lang): string =>
  fresh
    .filter((one) => one.kind === "trapped")
    .map((one) => word("newTrapped", lang, { lift: [world.lifts.get(one.lift)?.name ?? one.lift, one.rescue_code].filter(Boolean).join(" ") }))
    .join(". ");
