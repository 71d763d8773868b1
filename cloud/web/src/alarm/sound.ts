// The sound of alarms, made by the browser itself. It needs a gesture first: "start shift" is that, and plays a tone to be heard.
import { useCallback, useSyncExternalStore } from "react";
import { patternOf, TEST, type Pattern } from "./patterns";

/** "blocked": it is wanted, and the browser does not let it out. */
export type SoundState = "off" | "on" | "blocked";

const NAME = "liftwatch.shift";
const GAIN = 0.3;
// A note that begins and ends hard clicks.
const EDGE_S = 0.012;

const listeners = new Set<() => void>();
let context: AudioContext | null = null;
let wanted = false;
let severity = 0;
let timer: ReturnType<typeof setTimeout> | null = null;
let state: SoundState = "off";
try {
  wanted = sessionStorage.getItem(NAME) === "on"; // this tab was on shift before it was loaded anew
} catch {
  // storage is forbidden here: a reload asks for the gesture again
}

function look(): void {
  const next: SoundState = !wanted ? "off" : context?.state === "running" ? "on" : "blocked";
  if (next === state) return;
  state = next;
  for (const listener of listeners) listener();
}

function open(): AudioContext {
  if (!context) {
    context = new AudioContext();
    context.addEventListener("statechange", look);
  }
  return context;
}

function play(pattern: Pattern): void {
  if (!context || context.state !== "running") return;
  const start = context.currentTime + 0.05;
  for (const { hz, atMs, lastsMs } of pattern.notes) {
    const from = start + atMs / 1000;
    const to = from + lastsMs / 1000;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(GAIN, from + EDGE_S);
    gain.gain.setValueAtTime(GAIN, to - EDGE_S);
    gain.gain.linearRampToValueAtTime(0, to);
    tone.connect(gain).connect(context.destination);
    tone.start(from);
    tone.stop(to);
  }
}

function repeat(): void {
  if (timer) clearTimeout(timer);
  timer = null;
  const pattern = patternOf(severity);
  if (!pattern || !wanted) return;
  look(); // some browsers stop the sound without an event
  play(pattern);
  timer = setTimeout(repeat, pattern.everyMs);
}

function setWanted(next: boolean): void {
  wanted = next;
  try {
    sessionStorage.setItem(NAME, next ? "on" : "off");
  } catch {
    // as above
  }
}

/** By a press of a button: unlock the sound, play the test tone. */
export async function startShift(): Promise<void> {
  setWanted(true);
  try {
    await open().resume();
  } catch {
    // a machine without any sound device: it stays blocked, and says so
  }
  look();
  play(TEST);
  if (timer) clearTimeout(timer);
  timer = setTimeout(repeat, 1200);
}

export function endShift(): void {
  setWanted(false);
  if (timer) clearTimeout(timer);
  void context?.suspend().catch(() => undefined);
  look();
}

/** The worst of what nobody has acknowledged, 0 = nothing: it sounds from now on until that changes. */
export function sound(worst: number): void {
  if (worst === severity) return;
  severity = worst;
  repeat();
}

/** After a reload during a shift: most browsers let it sound again, some want a gesture first. */
export function resumeShift(): void {
  if (!wanted) return;
  void open()
    .resume()
    .then(look, look);
  look();
}

export function useSound(): SoundState {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return useSyncExternalStore(subscribe, () => state);
}
