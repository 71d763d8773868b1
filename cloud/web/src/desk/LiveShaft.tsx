// The lift of the case as a drawing to scale: the whole shaft, and a storey or two round the car.
import { memo } from "react";
import { useLang } from "../app/language";
import { Link } from "../app/Link";
import { address } from "../app/router";
import { metres } from "../cases/told";
import { hangs, heightOf, shaftOf } from "../shaft/geometry";
import { ShaftDrawing, wholeOf, zoomOf } from "../shaft/ShaftDrawing";
import { isGone } from "../world/model";
import { useLift, useTrouble } from "../world/store";
import { word } from "./texts";

const HEIGHT = 520;

export const LiveShaft = memo(function LiveShaft({ id }: { id: string }) {
  const lang = useLang();
  const lift = useLift(id);
  const kind = useTrouble(id);
  if (!lift) return <p className="empty">{word("noShaft", lang)}</p>;
  const gone = isGone(lift);
  const state = gone && lift.last_known ? lift.last_known.state : lift.state;
  const shaft = shaftOf(lift);
  const sill = heightOf(state, shaft);
  const hung = gone ? null : hangs(state, shaft);
  const zoom = sill === null ? null : zoomOf(shaft, sill, 210, HEIGHT);
  return (
    <>
      <div className="shafts">
        <ShaftDrawing shaft={shaft} view={wholeOf(shaft, 76, HEIGHT, 30)} state={state} kind={kind} gone={gone} frame={zoom} />
        {zoom && <ShaftDrawing shaft={shaft} view={zoom} state={state} kind={kind} gone={gone} offset={hung ? `${hung.overMm > 0 ? "+" : "−"}${metres(hung.overMm)}` : null} />}
      </div>
      <Link className="button" href={address(`/lift/${encodeURIComponent(id)}`)}>
        {word("openLift", lang)}
      </Link>
    </>
  );
});
