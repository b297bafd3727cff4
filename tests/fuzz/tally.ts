/**
 * The results of a fuzzer run: counts by kind, and the first problems of each kind.
 *
 * @module
 */

/** Problems of one kind that are kept as text; further ones are counted. */
const PROBLEMS_KEPT_MAX = 3;
/** Characters of the sent text in a problem. */
const SHOWN_MAX = 300;

export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #problems = new Map<string, string[]>();

  count(kind: string): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** The most frequent first. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([, a], [, b]) => b - a));
  }

  /** `sent` is the text that caused it. */
  problem(what: string, sent: string | Uint8Array): void {
    const kept = this.#problems.get(what) ?? [];
    this.#problems.set(what, kept);
    this.count(`problem: ${what}`);
    if (kept.length >= PROBLEMS_KEPT_MAX) return;
    const shown = typeof sent === "string" ? sent : String.fromCharCode(...sent);
    kept.push(JSON.stringify(shown.slice(0, SHOWN_MAX)));
  }

  /** One line for each kind. */
  problems(): string[] {
    return Array.from(
      this.#problems,
      ([what, kept]) => `${what}, ${this.of(`problem: ${what}`)} times: ${kept.join(" and ")}`,
    );
  }
}
