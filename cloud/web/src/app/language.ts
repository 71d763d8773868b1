// The language of the page, and tables of texts: one file of words per part, each word in both languages.
import { createContext, useContext } from "react";

export type Lang = "zh" | "en";
export type Both = Readonly<Record<Lang, string>>;
export type Values = Record<string, string | number>;

/** A function that gives the words of one table; `{name}` in a text is filled from `values`. */
export const teller =
  <T extends Record<string, Both>>(words: T) =>
  (name: keyof T, lang: Lang, values: Values = {}): string =>
    words[name]![lang].replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole));

export const LangContext = createContext<Lang>("zh");

export const useLang = (): Lang => useContext(LangContext);
