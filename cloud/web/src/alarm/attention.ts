// What calls for attention while nobody looks at the page: the count in the title.
import { useEffect } from "react";
import { isAlive, unfolded } from "../world/model";
import { useIncidents } from "../world/store";

/** The title of the page, with the number of open incidents before it. */
export function useAttention(title: string): void {
  const incidents = useIncidents();
  const open = unfolded(incidents).filter(isAlive).length;
  useEffect(() => void (document.title = `${open > 0 ? `(${open}) ` : ""}${title} · Liftwatch`), [title, open]);
}
