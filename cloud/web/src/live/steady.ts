// Keeps things where they are while a hand is on its way to one of them: what moves under a pointer is hit by mistake.
import { useEffect, useRef, useState, type RefObject } from "react";

// So long after the pointer's last movement the order may change again. Ours.
const STILL_MS = 1200;

/** `value`, but as it was as long as the pointer moves over `place`; at once when `asked` (what a person chose) is another. */
export function useSteady<T>(value: T, asked: unknown, place: RefObject<HTMLElement | null>): T {
  const movedAt = useRef(-Infinity);
  const held = useRef({ value, asked });
  const [, again] = useState(0);
  useEffect(() => {
    const moved = (event: PointerEvent) => {
      if (place.current?.contains(event.target as Node)) movedAt.current = performance.now();
    };
    addEventListener("pointermove", moved, { passive: true });
    addEventListener("pointerdown", moved, { passive: true });
    return () => {
      removeEventListener("pointermove", moved);
      removeEventListener("pointerdown", moved);
    };
  }, [place]);
  const waits = held.current.value !== value && held.current.asked === asked && performance.now() - movedAt.current < STILL_MS;
  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => again((count) => count + 1), STILL_MS);
    return () => clearTimeout(timer);
  });
  if (!waits) held.current = { value, asked };
  return held.current.value;
}
