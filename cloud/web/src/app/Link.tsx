// A link within the page: an ordinary link to all eyes and hands, without loading anew.
import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { go } from "./router";

export function Link(props: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    props.onClick?.(event);
    // Another button or key means another tab or window: that is the browser's.
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(props.href);
  };
  return <a {...props} onClick={click} />;
}
