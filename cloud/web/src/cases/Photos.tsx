// Photos of a case, as links to the whole picture.
import { memo } from "react";
import type { Case } from "../api/case";
import { clock } from "../app/format";
import { useLang } from "../app/language";
import { word } from "./texts";

export const Photos = memo(function Photos({ one }: { one: Case }) {
  const lang = useLang();
  if (one.photos.length === 0) return null;
  return (
    <ul className="photos" aria-label={word("photos", lang)}>
      {one.photos.map((photo) => {
        const path = `/api/v1/cases/${encodeURIComponent(one.id)}/photos/${encodeURIComponent(photo.id)}`;
        return (
          <li key={photo.id}>
            <a href={path} target="_blank" rel="noreferrer">
              <img src={path} alt={word("photoBy", lang, { name: photo.name, time: clock(photo.at_ms, lang) })} loading="lazy" />
            </a>
          </li>
        );
      })}
    </ul>
  );
});
