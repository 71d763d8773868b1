// How old a thing is, counting on by itself: two thousand of them cost no drawing of their strips.
import { memo, useEffect, useRef } from "react";
import { age } from "./format";
import type { Lang } from "./language";
import { onTick } from "./time";

/** `ms`: its age when the page got it, at `seenAt` by `performance.now()`; null = unknown. */
export const Age = memo(function Age({ ms, seenAt, lang, className = "age" }: { ms: number | null; seenAt: number; lang: Lang; className?: string }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let shown = "";
    const show = () => {
      const text = age(ms === null ? null : ms + performance.now() - seenAt, lang);
      if (place.current && text !== shown) place.current.textContent = shown = text;
    };
    show();
    return onTick(show);
  }, [ms, seenAt, lang]);
  return <span className={`${className} figures`} ref={place} />;
});
