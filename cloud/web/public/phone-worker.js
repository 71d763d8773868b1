// Lets the technician's page open without a line: keeps the page's own files, never an answer of the API.
"use strict";

const CACHE = "liftwatch-phone-1";
const SHELL = "/phone";
const ASSETS = "/assets/";
// On a line as thin as that of a lift shaft the kept page is better than a late one.
const PATIENCE_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("liftwatch-") && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

/** As the server has it; the kept one where the server is not reached, is in trouble or takes too long. */
async function page(request) {
  const kept = await caches.match(SHELL);
  const fresh = fetch(request);
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh.then((answer) => (answer.status >= 500 ? kept : answer), () => kept), late]);
}

/** Their names tell their content, so what is kept is right. */
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && (url.pathname === SHELL || url.pathname.startsWith(`${SHELL}/`))) event.respondWith(page(request));
  else if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(request));
});

/** The page tells which files it is made of: those are kept, and those of an older page go. */
async function keepOnly(paths) {
  const cache = await caches.open(CACHE);
  const wanted = new Set(paths.filter((path) => path.startsWith(ASSETS)));
  const held = new Set();
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(ASSETS)) continue;
    if (wanted.has(pathname)) held.add(pathname);
    else await cache.delete(request);
  }
  await Promise.all([...wanted].filter((path) => !held.has(path)).map((path) => cache.add(path)));
  // Not a way to the sign-in page, and not a page whose files are not here.
  const shell = await fetch(SHELL);
  if (!shell.ok || shell.redirected) return;
  const named = (await shell.clone().text()).match(/\/assets\/[^"']+/g) ?? [];
  if (named.every((path) => wanted.has(path))) await cache.put(SHELL, shell);
}

self.addEventListener("message", (event) => {
  if (!Array.isArray(event.data?.keep)) return;
  const [port] = event.ports;
  event.waitUntil(
    keepOnly(event.data.keep.map(String)).then(
      () => port?.postMessage(true),
      () => port?.postMessage(false), // without a line: told again when the page is opened the next time
    ),
  );
});
