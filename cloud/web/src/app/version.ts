// Whether the server has a newer page than this one.
const OWN = /\/assets\/index-[\w-]+\.js/;

/** True when the document that the server sends now names another script. */
export async function isOutdated(): Promise<boolean> {
  const own = [...document.scripts].map((script) => OWN.exec(script.src)?.[0]).find(Boolean);
  const answer = await fetch(location.pathname, { cache: "no-store", redirect: "error" });
  const theirs = answer.ok ? OWN.exec(await answer.text())?.[0] : undefined;
  return own !== undefined && theirs !== undefined && own !== theirs;
}
