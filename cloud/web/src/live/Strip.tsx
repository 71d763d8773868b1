// One lift as a strip, in three sizes: its shaft to scale, car, doors, direction, floor, age. Normal is grey; colour means trouble.
import { memo } from "react";
import { Age } from "../app/Age";
import { clock } from "../app/format";
import type { Lang } from "../app/language";
import { Link } from "../app/Link";
import { address } from "../app/router";
import { serverTime } from "../app/time";
import { ENUMS } from "../generated/contract";
import { floorName, shaftOf } from "../shaft/geometry";
import { ShaftDrawing, wholeOf } from "../shaft/ShaftDrawing";
import { alarming, isGone, type Lift, type Trouble } from "../world/model";
import { useLift, useTrouble, world } from "../world/store";
import { controllerFault, faultTitle } from "../world/words";
import { word } from "./texts";

export type Size = "small" | "medium" | "large";
export const SIZES: readonly Size[] = ["small", "medium", "large"];

/** Least width and height of a strip, px. */
export const BOX: Record<Size, { width: number; height: number }> = {
  small: { width: 100, height: 54 },
  medium: { width: 136, height: 196 },
  large: { width: 190, height: 296 },
};

export const SYMBOLS: Record<Trouble, string> = { trapped: "▲", fault: "◆", gone: "?", work: "⚒", none: "" };
const DRAWN: Record<Size, [number, number, number]> = { small: [16, 46, 0], medium: [56, 122, 24], large: [98, 206, 30] };

/** What is to be said of it first: the trouble, or nothing. */
export function badgeOf(lift: Lift, kind: Trouble, lang: Lang): string {
  if (kind === "trapped") {
    const fault = (isGone(lift) ? undefined : alarming(lift.state)[0]) ?? world.trappedBy(lift.id);
    return fault ? faultTitle(fault, lang) : word("trapped", lang);
  }
  if (kind === "gone") return word(lift.quality, lang);
  if (kind === "work" && lift.state.work_mode) return word("atWork", lang);
  const worst = alarming(lift.state)[0];
  if (worst) return faultTitle(worst, lang);
  if (lift.quality === "bus_silent") return word("bus_silent", lang);
  if (lift.controller_fault) return controllerFault(lift.controller_fault, lang);
  const mode = lift.state.service_mode;
  return mode !== null && kind === "work" ? ENUMS.service_mode[String(mode) as "0"][lang] : "";
}

export const doorText = (lift: Lift, lang: Lang): string =>
  lift.state.doors.length === 0 ? word("doorUnknown", lang) : lift.state.doors.map((door) => ENUMS.door[String(door) as "1"]?.[lang] ?? "?").join(" / ");

const arrowOf = (lift: Lift): string => (lift.state.direction === 1 ? "▲" : lift.state.direction === 2 ? "▼" : "");

/** What is read aloud: the same as is seen. */
function labelOf(lift: Lift, kind: Trouble, text: string, lang: Lang): string {
  const floor = floorName(shaftOf(lift), lift.state.floor);
  const where = isGone(lift) ? word(lift.quality, lang) : `${floor === null ? word("floorUnknown", lang) : word("atFloor", lang, { floor })}, ${doorText(lift, lang)}`;
  return [lift.name, kind !== "none" && kind !== "gone" ? text : "", where].filter(Boolean).join(", ");
}

interface Props {
  id: string;
  size: Size;
  lang: Lang;
  selected: boolean;
}

export const Strip = memo(function Strip({ id, size, lang, selected }: Props) {
  const lift = useLift(id);
  const kind = useTrouble(id);
  if (!lift) return null;
  const gone = isGone(lift);
  const shaft = shaftOf(lift);
  const [width, height, labels] = DRAWN[size];
  const shown = gone && lift.last_known ? lift.last_known.state : lift.state;
  const text = badgeOf(lift, kind, lang);
  const name = floorName(shaft, gone ? null : lift.state.floor) ?? "?";
  const drawing = <ShaftDrawing shaft={shaft} view={wholeOf(shaft, width, height, labels)} state={shown} kind={kind} gone={gone} />;
  const floor = (
    <span className={gone ? "floor floor-gone" : "floor"}>
      {name}
      {!gone && <span className="direction">{arrowOf(lift)}</span>}
    </span>
  );
  return (
    <Link
      className={`strip strip-${size} strip-${kind}${gone ? " strip-old" : ""}${selected ? " selected" : ""}`}
      href={address(`/lift/${encodeURIComponent(id)}`)}
      data-lift={id}
    >
      <span className="visually-hidden">{labelOf(lift, kind, text, lang)}</span>
      <span className="strip-name" aria-hidden="true">
        {size === "small" && SYMBOLS[kind]} {lift.name}
      </span>
      {size !== "small" && <span className="strip-badge" aria-hidden="true">{text && `${SYMBOLS[kind]} ${text}`}</span>}
      <span className="strip-body" aria-hidden="true">
        {drawing}
        <span className="strip-side">
          {floor}
          {size !== "small" && <Notes lift={lift} gone={gone} lang={lang} />}
          {size === "small" && <Age ms={lift.age_ms} seenAt={lift.seenAt} lang={lang} />}
        </span>
      </span>
      {size !== "small" && (
        <span className="strip-foot" aria-hidden="true">
          <span>{gone ? size === "large" && since(lift, lang) : doorText(lift, lang)}</span>
          <Age ms={lift.age_ms} seenAt={lift.seenAt} lang={lang} />
        </span>
      )}
    </Link>
  );
});

const since = (lift: Lift, lang: Lang): string =>
  lift.link_age_ms === null ? "" : word("sinceTime", lang, { time: clock(serverTime(lift.seenAt) - lift.link_age_ms, lang) });

function Notes({ lift, gone, lang }: { lift: Lift; gone: boolean; lang: Lang }) {
  if (gone) return null;
  const { door_zone, car_status, mains, passenger } = lift.state;
  return (
    <>
      {passenger && <span className="note">{word("person", lang)}</span>}
      {door_zone === false && car_status === 0 && <span className="note">{word("between", lang)}</span>}
      {mains === false && <span className="note">{word("noMains", lang)}</span>}
    </>
  );
}
