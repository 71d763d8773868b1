// Which lifts are shown, in which order and groups. Values in, values out.
import { TROUBLES, type Trouble } from "../world/model";
import type { Entry } from "../world/store";

export const GROUPS = ["none", "site", "district", "contractor", "state"] as const;
export type Grouping = (typeof GROUPS)[number];
export const SORTS = ["trouble", "name"] as const;
export type Sort = (typeof SORTS)[number];

/** Whose a lift is, where it is known. */
export interface Owned {
  district: string;
  contractor: string;
}

export interface Filter {
  text: string;
  troubles: ReadonlySet<Trouble>; // empty = all
  fault: string; // empty = all
  site: string; // empty = all
}

export interface Group {
  key: string;
  entries: Entry[];
}

/** Text of a query to a set of kinds; what is unknown is left out. */
export const troublesOf = (text: string): Set<Trouble> =>
  new Set(text.split(",").filter((name): name is Trouble => (TROUBLES as readonly string[]).includes(name)));

/** By name, address, site, id, and by the rescue code with or without its spaces. */
export function matches(entry: Entry, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  // Figures alone, however they are spaced, are a rescue code or a part of it; or one number in a name.
  if (words.length > 1 && /^[\d\s]+$/.test(text)) return entry.rescue_code.includes(words.join(""));
  const all = `${entry.name} ${entry.address} ${entry.site} ${entry.id} ${entry.rescue_code}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

const fits = (entry: Entry, { text, fault, site }: Filter): boolean =>
  (site === "" || entry.site === site) && (fault === "" || entry.fault === fault) && matches(entry, text);

/** Those that the filter leaves, and how many of each kind of trouble there were before kinds were chosen. */
export function filtered(entries: readonly Entry[], filter: Filter): { shown: Entry[]; counts: Record<Trouble, number> } {
  const counts = Object.fromEntries(TROUBLES.map((name) => [name, 0])) as Record<Trouble, number>;
  const shown: Entry[] = [];
  for (const entry of entries) {
    if (!fits(entry, filter)) continue;
    counts[entry.trouble] += 1;
    if (filter.troubles.size === 0 || filter.troubles.has(entry.trouble)) shown.push(entry);
  }
  return { shown, counts };
}

const RANK = Object.fromEntries(TROUBLES.map((name, at) => [name, at])) as Record<Trouble, number>;
const byName = new Intl.Collator(undefined, { numeric: true });

export function sorted(entries: Entry[], sort: Sort): Entry[] {
  const named = (a: Entry, b: Entry) => byName.compare(a.name, b.name) || byName.compare(a.id, b.id);
  return sort === "name"
    ? [...entries].sort(named)
    : [...entries].sort((a, b) => RANK[a.trouble] - RANK[b.trouble] || b.severity - a.severity || byName.compare(a.id, b.id));
}

/** In groups; those with the worst trouble first where trouble goes first, else by their key. */
export function grouped(entries: Entry[], by: Grouping, sort: Sort, owned: ReadonlyMap<string, Owned>): Group[] {
  if (by === "none") return entries.length > 0 ? [{ key: "", entries }] : [];
  const keyOf = (entry: Entry): string =>
    by === "state" ? entry.trouble : by === "site" ? entry.site : (owned.get(entry.id)?.[by] ?? "");
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key) ?? { key, entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  const worst = (group: Group) => Math.min(...group.entries.map((entry) => RANK[entry.trouble]));
  return [...groups.values()].sort(
    (a, b) => (by === "state" || sort === "trouble" ? worst(a) - worst(b) : 0) || byName.compare(a.key, b.key),
  );
}
