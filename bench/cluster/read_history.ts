/**
 * Judges what all clients of a cluster read: one order for all, nothing acknowledged that is lost, nothing twice, and
 * each client's own messages in their order. Pure.
 *
 * @module
 */

/** Problems that are kept in words; the others are counted. */
const SHOWN_MAX = 20;
const SAID = /^c2\/MSG ([^;]+); \d+; ([0-9a-f-]{36}); (.*)$/;

/** The text of a client's message number `n`, which no other message has. */
export function textOf(client: string, n: number): string {
  return `${client} says ${n}`;
}

export class ReadHistory {
  readonly problems: string[] = [];
  /** Problems beyond those in words. */
  moreProblems = 0;
  /** Broadcasts by position, as their first reader read them. */
  readonly #frames = new Map<number, string>();
  /** The position of each text. */
  readonly #positions = new Map<string, number>();
  /** Ids by text, as acknowledged. */
  readonly #acknowledged = new Map<string, string>();
  /** Ids in the order in which each plain connection read them. */
  readonly #plain: { readonly reader: string; readonly ids: string[] }[] = [];
  #first = Infinity;
  #last = 0;
  #reads = 0;

  /** Broadcasts that were read, by all clients together. */
  get reads(): number {
    return this.#reads;
  }

  get messages(): number {
    return this.#positions.size;
  }

  /** A client of the extended mode reads a broadcast, and counts that it is at this position. */
  read(reader: string, position: number, frame: string): void {
    this.#reads++;
    const known = this.#frames.get(position);
    if (known !== undefined) {
      if (known !== frame) {
        this.#problem(`${reader} reads ${frame} at ${position}, where others read ${known}`);
      }
      return;
    }
    this.#frames.set(position, frame);
    this.#first = Math.min(this.#first, position);
    this.#last = Math.max(this.#last, position);
    const [, , , text] = SAID.exec(frame) ?? [];
    if (text === undefined) return;
    const before = this.#positions.get(text);
    if (before !== undefined) this.#problem(`"${text}" is at ${before} and at ${position}`);
    else this.#positions.set(text, position);
  }

  /** Begins what one plain connection reads, which has no positions. */
  readPlainly(reader: string): (frame: string) => void {
    const ids: string[] = [];
    this.#plain.push({ reader, ids });
    return (frame) => {
      const [, , id] = SAID.exec(frame) ?? [];
      if (id === undefined) return;
      this.#reads++;
      ids.push(id);
    };
  }

  acknowledged(text: string, id: string): void {
    const before = this.#acknowledged.get(text);
    if (before !== undefined && before !== id) {
      this.#problem(`"${text}" is acknowledged as ${before} and ${id}`);
    }
    this.#acknowledged.set(text, id);
  }

  /** What history has at the end, from one node. */
  readHistory(node: string, messages: readonly { readonly id: string; readonly text: string }[]): void {
    const ids = messages.map(({ id }) => id);
    const expected = this.#idsInOrder();
    if (ids.length !== expected.length || ids.some((id, i) => id !== expected[i])) {
      const at = ids.findIndex((id, i) => id !== expected[i]);
      this.#problem(
        `the history of ${node} has ${ids.length} messages, and ${expected.length} were broadcast; they differ at ` +
          `${at < 0 ? ids.length : at}`,
      );
    }
  }

  /** Call once, when everything was read. */
  conclude(): void {
    for (let position = this.#first; position <= this.#last; position++) {
      if (!this.#frames.has(position)) this.#problem(`no client read position ${position}`);
    }
    for (const [text, id] of this.#acknowledged) {
      const frame = this.#frames.get(this.#positions.get(text) ?? -1);
      if (frame === undefined) this.#problem(`"${text}" was acknowledged, and no client read it`);
      else if (!frame.includes(id)) this.#problem(`"${text}" was acknowledged as ${id}, and is ${frame}`);
    }
    const counts = new Map<string, number>();
    for (const [text] of this.#inOrder()) {
      const [, client = "", n = ""] = /^(.*) says (\d+)$/.exec(text) ?? [];
      if ((counts.get(client) ?? -1) >= Number(n)) this.#problem(`"${text}" is after ${counts.get(client)}`);
      counts.set(client, Number(n));
    }
    this.#concludePlain();
  }

  #concludePlain(): void {
    const place = new Map(this.#idsInOrder().map((id, i) => [id, i]));
    for (const { reader, ids } of this.#plain) {
      for (const [i, id] of ids.entries()) {
        const at = place.get(id);
        if (at === undefined) this.#problem(`${reader} read ${id}, and no other client did`);
        else if (i > 0 && at !== place.get(ids[i - 1]!)! + 1) {
          this.#problem(`${reader} read ${id} right after ${ids[i - 1]}, which others did not`);
        }
      }
    }
  }

  #inOrder(): [text: string, position: number][] {
    return [...this.#positions].toSorted(([, a], [, b]) => a - b);
  }

  #idsInOrder(): string[] {
    return this.#inOrder().map(([, position]) => SAID.exec(this.#frames.get(position)!)![2]!);
  }

  #problem(text: string): void {
    if (this.problems.length < SHOWN_MAX) this.problems.push(text);
    else this.moreProblems++;
  }
}
