// What a wall shows one after the other: sites together as far as they fit. Values in, values out.
import type { Entry } from "../world/store";

export interface Site {
  name: string;
  ids: string[];
  part: number; // of a site that is too large for one page: 1, 2 …; 0 = all of it
}

/** Pages of at most `most` lifts; a large site has pages of its own, small ones share. */
export function pagesOf(entries: readonly Entry[], most: number): Site[][] {
  const bySite = new Map<string, string[]>();
  for (const entry of entries) bySite.set(entry.site, [...(bySite.get(entry.site) ?? []), entry.id]);
  const pages: Site[][] = [];
  let room = 0;
  for (const [name, ids] of [...bySite].sort((a, b) => a[0].localeCompare(b[0]))) {
    if (ids.length > most) {
      for (let at = 0; at < ids.length; at += most) pages.push([{ name, ids: ids.slice(at, at + most), part: at / most + 1 }]);
      room = 0;
    } else if (ids.length <= room) {
      pages[pages.length - 1]!.push({ name, ids, part: 0 });
      room -= ids.length;
    } else {
      pages.push([{ name, ids, part: 0 }]);
      room = most - ids.length;
    }
  }
  return pages;
}
