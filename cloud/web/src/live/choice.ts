// What the address says of the live view: filter, order, groups, size.
import { useMemo } from "react";
import { usePlace } from "../app/router";
import { GROUPS, SORTS, troublesOf, type Filter, type Grouping, type Sort } from "./filters";
import { SIZES, type Size } from "./Strip";

export interface Choice {
  filter: Filter;
  group: Grouping;
  sort: Sort;
  size: Size;
  view: "strips" | "map";
}

const oneOf = <T extends string>(all: readonly T[], found: string | null, fallback: T): T => all.find((one) => one === found) ?? fallback;

// With more lifts than this a strip is smaller, unless a size was chosen.
const MANY = 24;
const VERY_MANY = 120;

export function useChoice(lifts: number): Choice {
  const { query } = usePlace();
  const fitting: Size = lifts > VERY_MANY ? "small" : lifts > MANY ? "medium" : "large";
  return useMemo(
    () => ({
      filter: {
        text: query.get("q") ?? "",
        troubles: troublesOf(query.get("trouble") ?? ""),
        fault: query.get("fault") ?? "",
        site: query.get("site") ?? "",
      },
      group: oneOf(GROUPS, query.get("group"), "none"),
      sort: oneOf(SORTS, query.get("sort"), "trouble"),
      size: oneOf(SIZES, query.get("size"), fitting),
      view: oneOf(["strips", "map"] as const, query.get("view"), "strips"),
    }),
    [query, fitting],
  );
}
