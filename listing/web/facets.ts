/**
 * Counts servers by tag and by language, for the lists that the page offers. Pure; the server and the browser use it.
 *
 * @module
 */
import { grouped, type Server } from "./wording.ts";

/** Tags and languages offered, the most frequent first: servers may make up as many as they like. */
export const FACETS_MAX = 50;

export interface Facets {
  readonly tags: readonly Facet[];
  /** By the first part of the language tag, as `pt` for `pt-BR`. */
  readonly languages: readonly Facet[];
  /** Whether any server says what it is. */
  readonly isDescribed: boolean;
}

export interface Facet {
  readonly value: string;
  readonly label: string;
  readonly count: number;
}

export function facetsOf(servers: Iterable<Pick<Server, "description" | "tags" | "language">>): Facets {
  const tags = new Map<string, number>();
  const languages = new Map<string, number>();
  let isDescribed = false;
  for (const server of servers) {
    isDescribed ||= isSelfDescribed(server);
    for (const tag of server.tags ?? []) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    if (server.language === undefined) continue;
    const main = mainLanguage(server.language);
    languages.set(main, (languages.get(main) ?? 0) + 1);
  }
  return {
    tags: mostFrequent(tags, (tag) => tag),
    languages: mostFrequent(languages, languageName),
    isDescribed,
  };
}

/** True if a server says anything of itself. */
export function isSelfDescribed(
  { description, tags, language }: Pick<Server, "description" | "tags" | "language">,
) {
  return description !== undefined || tags !== undefined || language !== undefined;
}

/** Does not sort all: servers may have 50,000 tags, and the page counts them at each change. */
function mostFrequent(counts: ReadonlyMap<string, number>, labelOf: (value: string) => string): Facet[] {
  const most: (readonly [value: string, count: number])[] = [];
  for (const entry of counts) {
    if (most.length === FACETS_MAX && !isBefore(entry, most.at(-1)!)) continue;
    most.splice(most.findIndex((other) => isBefore(entry, other)) >>> 0, 0, entry);
    most.length = Math.min(most.length, FACETS_MAX);
  }
  return most.map(([value, count]) => ({ value, label: labelOf(value), count }));
}

function isBefore([a, many]: readonly [string, number], [b, more]: readonly [string, number]): boolean {
  return many > more || many === more && a < b;
}

/** The offered facets and the chosen value, which may be none of them. */
export function choices(facets: readonly Facet[], chosen: string): readonly Facet[] {
  if (chosen === "" || facets.some(({ value }) => value === chosen)) return facets;
  return [{ value: chosen, label: chosen, count: 0 }, ...facets];
}

export function choiceText({ label, count }: Facet): string {
  return `${label} (${grouped(count)})`;
}

export function mainLanguage(language: string): string {
  return language.split("-", 1)[0] ?? language;
}

const known = new Map<string, string>();
let names: Intl.DisplayNames | undefined;

/** The English name of a language without its varieties; the code itself where it has none. */
export function languageName(main: string): string {
  return known.get(main) ?? nameOf(main);
}

/** Names that the listing has written into the page, because the browser's own take a phone 100 ms. */
export function learnLanguages(options: Iterable<{ readonly value: string; readonly text: string }>): void {
  for (const { value, text } of options) known.set(value, text.replace(/ \([0-9,]+\)$/, ""));
}

function nameOf(main: string): string {
  names ??= new Intl.DisplayNames("en", { type: "language" });
  try {
    return names.of(main) ?? main;
  } catch {
    return main;
  }
}
