// Keys of one letter: each page says which it has; they can be switched off (WCAG 2.1.4), and ? lists them.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useLang, type Both } from "./language";
import { word } from "./texts";

export interface Shortcut {
  keys: readonly string[];
  does: Both;
  run: () => void;
  /** Only then; else the key is the browser's. */
  when?: () => boolean;
}

const NAME = "liftwatch.keys";
const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", " ": "␣" };
const listeners = new Set<() => void>();
const pages: { current: readonly Shortcut[] }[] = [];
let on = true;
try {
  on = localStorage.getItem(NAME) !== "off";
} catch {
  // storage is forbidden here: the choice lasts as long as the page
}

function setOn(next: boolean): void {
  on = next;
  try {
    localStorage.setItem(NAME, next ? "on" : "off");
  } catch {
    // as above
  }
  for (const listener of listeners) listener();
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

addEventListener("keydown", (event) => {
  if (!on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  for (const page of [...pages].reverse()) {
    const found = page.current.find((one) => one.keys.some((key) => key.toLowerCase() === event.key.toLowerCase()) && (one.when?.() ?? true));
    if (!found) continue;
    event.preventDefault();
    found.run();
    return;
  }
});

/** The keys of a part of the page, as long as it is there. */
export function useKeys(shortcuts: readonly Shortcut[]): void {
  const held = useRef(shortcuts);
  held.current = shortcuts;
  useEffect(() => {
    pages.push(held);
    return () => void pages.splice(pages.indexOf(held), 1);
  }, []);
}

function useOn(): boolean {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return useSyncExternalStore(subscribe, () => on);
}

/** The button and the dialog that list the keys. */
export function KeysHelp() {
  const lang = useLang();
  const isOn = useOn();
  const dialog = useRef<HTMLDialogElement>(null);
  const [shown, setShown] = useState<readonly Shortcut[]>([]);
  const open = () => {
    setShown(pages.flatMap((page) => page.current));
    if (!dialog.current?.open) dialog.current?.showModal();
  };
  useKeys([{ keys: ["?"], does: { zh: "显示快捷键", en: "Show the keys" }, run: open }]);
  return (
    <>
      <button className="pill keys-button" aria-label={word("keys", lang)} aria-haspopup="dialog" onClick={open}>
        ?
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby="keys-title">
        <h2 id="keys-title">{word("keys", lang)}</h2>
        <dl className="keys">
          {shown.map((one) => (
            <div key={one.keys.join()}>
              <dt>
                {one.keys.map((key) => (
                  <kbd key={key}>{NAMES[key] ?? key.toUpperCase()}</kbd>
                ))}
              </dt>
              <dd>{one.does[lang]}</dd>
            </div>
          ))}
        </dl>
        <label className="check">
          <input type="checkbox" checked={isOn} onChange={(event) => setOn(event.target.checked)} /> {word("keysOn", lang)}
        </label>
        <form method="dialog">
          <button className="button">{word("close", lang)}</button>
        </form>
      </dialog>
    </>
  );
}
