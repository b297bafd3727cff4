/**
 * `chatter export` and `chatter import`: the file of JSON lines, written a page at a time and read a batch at a time, so
 * that its size does not matter; each waits for the other end.
 *
 * A header is its first line, and how many rows there are its last, so that a file that was cut off is known. Which rows
 * there are is the roles' to know, and where they come from the caller's.
 *
 * @module
 */
import { z } from "zod";
import {
  type Taken,
  type Transfer,
  TRANSFER_ROWS_MAX,
  TRANSFER_VERSION,
  type TransferHeader,
} from "../src/kv/transfer.ts";
import type { Outcome, Problem } from "./problem.ts";

/** UTF-16 units of a line: a message of the most characters that there can be, escaped, is less. */
const LINE_UNITS_MAX = 262_144;
/** Bytes of a batch beside its rows. */
const FRAME_BYTES = 32;

const headerSchema = z.object({
  chatter: z.literal("export"),
  version: z.number(),
  role: z.enum(["chat", "listing"]),
});

/** Writes everything as lines; answers how many rows there are of each kind. */
export async function exportLines(
  transfer: Transfer,
  withKeys: boolean,
  write: (lines: string) => Promise<void>,
): Promise<Map<string, number>> {
  const kinds = new Map<string, number>();
  const { batchBytesMax: _, ...header } = await transfer.describe();
  await write(JSON.stringify(header) + "\n");
  let cursor: string | undefined;
  let rows = 0;
  do {
    const page = await transfer.page(cursor, withKeys);
    for (const { kind } of page.rows) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    rows += page.rows.length;
    if (page.rows.length > 0) await write(page.rows.map((row) => JSON.stringify(row) + "\n").join(""));
    cursor = page.next;
  } while (cursor !== undefined);
  await write(JSON.stringify({ kind: "end", rows }) + "\n");
  return kinds;
}

/** What was written, in words. */
export function summary(kinds: ReadonlyMap<string, number>): string {
  const named = [...kinds].map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  return named.length === 0 ? "nothing" : named.join(", ").replaceAll("_", " ");
}

/** The lines of a text that comes in parts, with their numbers; a line that is too long ends it with a problem. */
export async function* linesOf(parts: AsyncIterable<string>): AsyncIterable<string> {
  let rest = "";
  for await (const part of parts) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > LINE_UNITS_MAX) break;
  }
  if (rest !== "") yield rest.slice(0, LINE_UNITS_MAX + 1);
}

interface Row {
  readonly line: number;
  readonly text: string;
}

/** Takes the lines of a file that is called `file`. `open` is asked once its header is known. */
export async function importLines(
  file: string,
  lines: AsyncIterable<string>,
  open: (role: TransferHeader["role"]) => Promise<Transfer>,
): Promise<Outcome> {
  const reader = new Import(file);
  for await (const line of lines) {
    const problem = await reader.take(line, open);
    if (problem !== undefined) return problem;
  }
  return await reader.end();
}

class Import {
  readonly #file: string;
  #line = 0;
  #transfer: Transfer | undefined;
  #bytesMax = 0;
  #kind = "";
  #batch: Row[] = [];
  #bytes = 0;
  #rows = 0;
  #told: number | undefined;
  #taken = 0;
  #skipped = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async take(
    text: string,
    open: (role: TransferHeader["role"]) => Promise<Transfer>,
  ): Promise<Problem | undefined> {
    this.#line++;
    if (text.trim() === "") return undefined;
    if (text.length > LINE_UNITS_MAX) return this.#problem(this.#line, "the line is longer than any row is");
    const json = parsed(text);
    if (this.#transfer === undefined) return await this.#begin(json, open);
    if (typeof json !== "object" || json === null || !("kind" in json) || typeof json.kind !== "string") {
      return this.#problem(this.#line, "this is no row");
    }
    if (this.#told !== undefined) return this.#problem(this.#line, "there is more after the end");
    if (json.kind === "end") {
      this.#told = "rows" in json ? Number(json.rows) : NaN;
      return undefined;
    }
    this.#rows++;
    const bytes = new TextEncoder().encode(text).length + 1;
    const isFull = this.#batch.length === TRANSFER_ROWS_MAX || this.#bytes + bytes > this.#bytesMax;
    let problem: Problem | undefined;
    if (isFull || json.kind !== this.#kind) {
      problem = await this.#flush(this.#batch);
      this.#batch = [];
      this.#bytes = 0;
    }
    this.#kind = json.kind;
    this.#batch.push({ line: this.#line, text });
    this.#bytes += bytes;
    return problem;
  }

  async end(): Promise<Outcome> {
    if (this.#transfer === undefined) return { problem: `${this.#file}: it is empty` };
    const problem = await this.#flush(this.#batch);
    if (problem !== undefined) return problem;
    if (this.#told !== this.#rows) {
      const of = this.#told === undefined ? "it has no end" : `its end tells of ${this.#told} rows`;
      return { problem: `${this.#file}: it is not whole: ${of}, and ${this.#rows} came. ${this.#soFar()}` };
    }
    return { output: `${this.#soFar()}\n` };
  }

  async #begin(json: unknown, open: (role: TransferHeader["role"]) => Promise<Transfer>) {
    const header = headerSchema.safeParse(json);
    if (!header.success) return this.#problem(this.#line, "this is not the first line of an export");
    const { role, version } = header.data;
    if (version > TRANSFER_VERSION) {
      return this.#problem(
        this.#line,
        `it has version ${version}, and this chatter knows ${TRANSFER_VERSION}: use the newer one`,
      );
    }
    this.#transfer = await open(role);
    const taker = await this.#transfer.describe();
    if (taker.role !== role) {
      return this.#problem(this.#line, `it is the export of a ${role}, and this is a ${taker.role}`);
    }
    this.#bytesMax = taker.batchBytesMax - FRAME_BYTES;
    return undefined;
  }

  /** Hands a batch over, in halves where it cannot be taken at once. */
  async #flush(batch: readonly Row[]): Promise<Problem | undefined> {
    if (batch.length === 0) return undefined;
    const came: Taken = await this.#transfer!.take(batch.map(({ text }) => JSON.parse(text)));
    if ("isTooWide" in came) {
      const half = Math.ceil(batch.length / 2);
      return await this.#flush(batch.slice(0, half)) ?? await this.#flush(batch.slice(half));
    }
    if ("problem" in came) {
      return this.#problem(
        batch[came.row]?.line ?? batch[0]!.line,
        `${came.problem}. Nothing was taken from line ${batch[0]!.line} on. ${this.#soFar()}`,
      );
    }
    this.#taken += came.taken;
    this.#skipped += came.skipped;
    return undefined;
  }

  #soFar(): string {
    return `Rows taken: ${this.#taken}, skipped: ${this.#skipped}.`;
  }

  #problem(line: number, text: string): Problem {
    return { problem: `${this.#file}:${line}: ${text}` };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
