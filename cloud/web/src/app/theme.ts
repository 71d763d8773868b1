// Dark for control rooms, light for offices: as the system says, unless chosen here. Kept in this browser.
import { useCallback, useSyncExternalStore } from "react";

export type Theme = "system" | "dark" | "light";
const NAME = "liftwatch.theme";
const listeners = new Set<() => void>();
let memory: Theme | null = null;

function kept(): Theme {
  if (memory !== null) return memory;
  try {
    const found = localStorage.getItem(NAME);
    memory = found === "dark" || found === "light" ? found : "system";
  } catch {
    memory = "system"; // storage is forbidden here: the choice lasts as long as the page
  }
  return memory;
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
apply(kept());

export function setTheme(theme: Theme): void {
  memory = theme;
  apply(theme);
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // as above
  }
  for (const listener of listeners) listener();
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return [useSyncExternalStore(subscribe, kept), setTheme];
}
