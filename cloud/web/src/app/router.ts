// Where the page is: path and query of the address are the state, so that a link opens the same view.
import { useCallback, useSyncExternalStore } from "react";

export interface Place {
  path: string;
  query: URLSearchParams;
}

// What stays when one goes to another page.
const STICKY = ["lang"];

const read = (url: URL | Location = location): Place => ({ path: url.pathname, query: new URLSearchParams(url.search) });
let place = read();
const listeners = new Set<() => void>();

const tell = (url: URL | Location = location) => {
  place = read(url);
  for (const listener of listeners) listener();
};
addEventListener("popstate", () => tell());

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** The address of `path` with its own query and what stays. */
export function address(path: string, query: Record<string, string> = {}): string {
  const all = new URLSearchParams(query);
  for (const name of STICKY) {
    const value = place.query.get(name);
    if (value !== null && !all.has(name)) all.set(name, value);
  }
  const text = all.toString();
  return text ? `${path}?${text}` : path;
}

/** Go there; `replace`: the step back leads past where we are now. */
export function go(to: string, replace = false): void {
  try {
    if (replace) history.replaceState(history.state, "", to);
    else history.pushState(null, "", to);
  } catch {
    // A browser that finds there were too many changes of the address refuses some: the view changes all the same.
  }
  tell(new URL(to, location.href));
}

/** Change some values of the query where we are; empty takes one away. No step of its own in the history. */
export function setQuery(change: Record<string, string>): void {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(change)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(text ? `${place.path}?${text}` : place.path, true);
}

export const here = (): Place => place;

export const usePlace = (): Place => useSyncExternalStore(subscribe, here);

/** One value of the query, and how to change it; the fallback does not stand in the address. */
export function useQuery(name: string, fallback = ""): [string, (value: string) => void] {
  const value = usePlace().query.get(name) ?? fallback;
  const set = useCallback((next: string) => setQuery({ [name]: next === fallback ? "" : next }), [name, fallback]);
  return [value, set];
}

/** The parts of `path` that `pattern` names ("/lift/{id}"), null where it is another path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const found = path.split("/");
  if (wanted.length !== found.length) return null;
  const out: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const text = found[at]!;
    if (part.startsWith("{") && text) out[part.slice(1, -1)] = decodeURIComponent(text);
    else if (part !== text) return null;
  }
  return out;
}
