// Lets the page open without a line: registers the service worker and tells it which files the page is made of.
const SCRIPT = "/phone-worker.js";

const files = (): string[] => [
  ...[...document.querySelectorAll("script[src], link[href]")].map((part) => part.getAttribute("src") ?? part.getAttribute("href") ?? ""),
  ...performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname),
];

/** True once all is kept. False where the browser has no service workers, as from an origin that is not secure, or has no line now. */
export async function keepPage(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  try {
    await navigator.serviceWorker.register(SCRIPT, { scope: "/phone" });
    const { active } = await navigator.serviceWorker.ready;
    const answer = new MessageChannel();
    const kept = new Promise<boolean>((resolve) => (answer.port1.onmessage = ({ data }) => resolve(data === true)));
    active!.postMessage({ keep: [...new Set(files())] }, [answer.port2]);
    return await kept;
  } catch {
    return false; // the page works with a line; it is tried again when it is opened the next time
  }
}
