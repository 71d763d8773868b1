// The pages: which path shows what. A page is loaded when it is first shown; the server sends this one document for all of these paths.
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { Me } from "../generated/api";
import { match } from "./router";

export type Parts = Record<string, string>;

export interface Page {
  name: "live" | "lift" | "desk" | "phone" | "wall";
  path: string;
  /** More paths of the same page; `{name}` is given to it. */
  also: string[];
  shows: LazyExoticComponent<ComponentType<{ parts: Parts }>>;
  inMenu: boolean;
  permission: Me["permissions"][number] | null;
  /** Without the head of the frame. */
  bare?: boolean;
}

export const PAGES: readonly Page[] = [
  { name: "live", path: "/", also: [], shows: lazy(() => import("../live/Live")), inMenu: true, permission: null },
  { name: "lift", path: "/lift/{lift}", also: [], shows: lazy(() => import("../lift/LiftPage")), inMenu: false, permission: null },
  { name: "desk", path: "/desk", also: ["/desk/{case}"], shows: lazy(() => import("../desk/Desk")), inMenu: true, permission: "cases.desk" },
  { name: "wall", path: "/wall", also: [], shows: lazy(() => import("../wall/Wall")), inMenu: true, permission: null, bare: true },
  { name: "phone", path: "/phone", also: ["/phone/{case}"], shows: lazy(() => import("../phone/Phone")), inMenu: true, permission: "cases.work", bare: true },
];

/** The page of a path with the parts that its pattern names. */
export function pageAt(path: string): { page: Page; parts: Parts } | null {
  for (const page of PAGES)
    for (const pattern of [page.path, ...page.also]) {
      const parts = match(pattern, path);
      if (parts) return { page, parts };
    }
  return null;
}
