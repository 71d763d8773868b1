// What is above the lifts: find, counts that filter, filters, groups, order, size. All of it stands in the address.
import type { RefObject } from "react";
import { useLang, type Lang } from "../app/language";
import { setQuery } from "../app/router";
import { TROUBLES, type Trouble } from "../world/model";
import { faultTitle } from "../world/words";
import { GROUPS, SORTS } from "./filters";
import { SIZES, SYMBOLS } from "./Strip";
import { word } from "./texts";
import type { Choice } from "./choice";

type Name = "site" | "fault" | "group" | "sort" | "size" | "view";

function Select(props: { name: Name; value: string; fallback: string; label: string; options: readonly (readonly [string, string])[] }) {
  const { name, value, fallback, label, options } = props;
  return (
    <label className="choose">
      <span>{label}</span>
      <select value={value} onChange={(event) => setQuery({ [name]: event.target.value === fallback ? "" : event.target.value })}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How many are in each state; a press shows only these. */
function Counts({ counts, chosen, lang }: { counts: Record<Trouble, number>; chosen: ReadonlySet<Trouble>; lang: Lang }) {
  const toggle = (name: Trouble) => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setQuery({ trouble: TROUBLES.filter((one) => next.has(one)).join(",") });
  };
  return (
    <div className="counts" role="group" aria-label={word("counts", lang)}>
      {TROUBLES.map((name) => (
        <button key={name} className={`chip chip-${name}${counts[name] > 0 ? " chip-some" : ""}`} aria-pressed={chosen.has(name)} onClick={() => toggle(name)}>
          {SYMBOLS[name]} <b>{counts[name]}</b> {word(`trouble_${name}`, lang)}
        </button>
      ))}
    </div>
  );
}

interface Props {
  choice: Choice;
  counts: Record<Trouble, number>;
  sites: readonly string[];
  faults: readonly string[];
  search: RefObject<HTMLInputElement | null>;
}

export function Toolbar({ choice, counts, sites, faults, search }: Props) {
  const lang = useLang();
  const { filter, group, sort, size, view } = choice;
  return (
    <div className="toolbar">
      <input
        ref={search}
        type="search"
        className="search"
        value={filter.text}
        placeholder={word("searchHint", lang)}
        aria-label={`${word("search", lang)}: ${word("searchHint", lang)}`}
        onChange={(event) => setQuery({ q: event.target.value })}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      <Counts counts={counts} chosen={filter.troubles} lang={lang} />
      <div className="chooses">
        {sites.length > 1 && (
          <Select name="site" value={filter.site} fallback="" label={word("site", lang)} options={[["", word("allSites", lang)], ...sites.map((one) => [one, one] as const)]} />
        )}
        {(faults.length > 0 || filter.fault) && (
          <Select
            name="fault"
            value={filter.fault}
            fallback=""
            label={word("fault", lang)}
            options={[["", word("allFaults", lang)], ...[...new Set([...faults, ...(filter.fault ? [filter.fault] : [])])].map((one) => [one, faultTitle(one, lang)] as const)]}
          />
        )}
        <Select name="view" value={view} fallback="strips" label={word("view", lang)} options={(["strips", "map"] as const).map((one) => [one, word(`view_${one}`, lang)])} />
        {view === "strips" && (
          <>
            <Select name="group" value={group} fallback="none" label={word("group", lang)} options={GROUPS.map((one) => [one, word(`group_${one}`, lang)])} />
            <Select name="sort" value={sort} fallback="trouble" label={word("order", lang)} options={SORTS.map((one) => [one, word(`sort_${one}`, lang)])} />
            <Select name="size" value={size} fallback="" label={word("size", lang)} options={SIZES.map((one) => [one, word(`size_${one}`, lang)])} />
          </>
        )}
      </div>
    </div>
  );
}
