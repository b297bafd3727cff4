/**
 * `deno task release:notes TAG`: prints the part of CHANGELOG.md for the version in deno.json. It refuses if the tag,
 * the version and the newest entry disagree, or if that entry has no date.
 *
 * @module
 */
import { ROOT, say, VERSION } from "./run_deno.ts";

/** The headings of a release, in this order. */
export const PARTS = [
  "Protocol",
  "Flags",
  "Storage",
  "Security",
  "Added",
  "Changed",
  "Fixed",
  "Clients",
] as const;

export interface Release {
  readonly version: string;
  /** As `2026-11-28`; undefined before the release. */
  readonly date: string | undefined;
  /** The headings below it, in order. */
  readonly parts: readonly string[];
  readonly text: string;
}

/** The releases in a changelog, newest first. Throws for a heading that is no release. */
export function releasesIn(changelog: string): Release[] {
  const [, ...sections] = changelog.split(/^## /m);
  return sections.map((section) => {
    const [head = ""] = section.split("\n", 1);
    const [, version, date] =
      /^([0-9]+\.[0-9]+\.[0-9]+), (unreleased|[0-9]{4}-[0-9]{2}-[0-9]{2})$/.exec(head) ?? [];
    if (version === undefined) {
      throw new Error(`"${head}" is not a head of a release, such as "1.2.3, 2026-11-28"`);
    }
    return {
      version,
      date: date === "unreleased" ? undefined : date,
      parts: [...section.matchAll(/^### (.+)$/gm)].map(([, part = ""]) => part),
      text: section.slice(head.length).trim() + "\n",
    };
  });
}

/** The notes of the release `tag`, or the reason why it cannot be released. */
export function notesFor(
  tag: string,
  version: string,
  changelog: string,
): { notes: string } | { problem: string } {
  const [newest] = releasesIn(changelog);
  if (tag !== `v${version}`) {
    return { problem: `The tag is ${tag}, and deno.json has the version ${version}` };
  }
  if (newest?.version !== version) {
    return {
      problem: `CHANGELOG.md begins with ${newest?.version}, and deno.json has the version ${version}`,
    };
  }
  if (newest.date === undefined) return { problem: `CHANGELOG.md has no date for ${version}` };
  return { notes: newest.text };
}

if (import.meta.main) {
  const read = notesFor(Deno.args[0] ?? "", VERSION, await Deno.readTextFile(ROOT + "CHANGELOG.md"));
  if ("problem" in read) {
    await Deno.stderr.write(new TextEncoder().encode(read.problem + "\n"));
    Deno.exit(1);
  }
  say(read.notes.trimEnd());
}
