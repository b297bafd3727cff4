/**
 * `chatter import`: parses a file of JSON lines, and passes the rows on in batches. The first line is a header, and
 * the last one counts the rows, so that a truncated file is detected. The roles define the rows.
 *
 * @module
 */
import { z } from "zod";
import {
  BATCH_ROWS_MAX,
  BATCH_UNITS_MAX,
  type ImportTarget,
  TRANSFER_VERSION,
  type TransferHeader,
} from "../src/kv/transfer.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { CommandOutcome, Problem } from "./problem.ts";
import { printable } from "./screen/table.ts";

/** UTF-16 units of a line: more than the longest possible message, escaped. */
const LINE_UNITS_MAX = 262_144;

const headerSchema = z.object({
  chatter: z.literal("export"),
  version: z.number(),
  role: z.enum(["chat", "listing"]),
});

/** Splits a text that arrives in parts into numbered lines. A line that is too long ends it with a problem. */
export async function* linesOf(parts: AsyncIterable<string>): AsyncIterable<string> {
  const splitter = new LineSplitter();
  for await (const part of parts) {
    yield* splitter.push(part);
    if (splitter.length > LINE_UNITS_MAX) break;
  }
  if (splitter.length > 0) yield splitter.take().slice(0, LINE_UNITS_MAX + 1);
}

interface Row {
  readonly line: number;
  readonly json: unknown;
}

type OpenTarget = (role: TransferHeader["role"]) => Promise<ImportTarget>;

/** Imports the lines of `file`. `open` is called once, after the header. */
export async function importLines(
  file: string,
  lines: AsyncIterable<string>,
  open: OpenTarget,
): Promise<CommandOutcome> {
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
  #target: ImportTarget | undefined;
  #kind = "";
  #batch: Row[] = [];
  #units = 0;
  #rows = 0;
  #rowsAtEnd: number | undefined;
  #taken = 0;
  #skipped = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async take(text: string, open: OpenTarget): Promise<Problem | undefined> {
    this.#line++;
    if (text.trim() === "") return undefined;
    if (text.length > LINE_UNITS_MAX) return this.#problem(this.#line, "the line is too long for a row");
    const json = parsed(text);
    if (this.#target === undefined) return await this.#begin(json, open);
    if (typeof json !== "object" || json === null || !("kind" in json) || typeof json.kind !== "string") {
      return this.#problem(this.#line, "the line is not a row");
    }
    if (this.#rowsAtEnd !== undefined) return this.#problem(this.#line, "there are more lines after the end");
    if (json.kind === "end") {
      this.#rowsAtEnd = "rows" in json ? Number(json.rows) : NaN;
      return undefined;
    }
    this.#rows++;
    const isFull = this.#batch.length === BATCH_ROWS_MAX || this.#units + text.length > BATCH_UNITS_MAX;
    const problem = isFull || json.kind !== this.#kind ? await this.#flush() : undefined;
    this.#kind = json.kind;
    this.#batch.push({ line: this.#line, json });
    this.#units += text.length;
    return problem;
  }

  async end(): Promise<CommandOutcome> {
    if (this.#target === undefined) return { problem: `${this.#file}: the file is empty` };
    const problem = await this.#flush();
    if (problem !== undefined) return problem;
    if (this.#rowsAtEnd !== this.#rows) {
      const of = this.#rowsAtEnd === undefined
        ? "its last line is missing"
        : `its last line counts ${this.#rowsAtEnd}`;
      return {
        problem: `${this.#file}: the file is incomplete: ${of}; rows read: ${this.#rows}. ${this.#soFar()}`,
      };
    }
    return { output: `${this.#soFar()}\n` };
  }

  async #begin(json: unknown, open: OpenTarget): Promise<Problem | undefined> {
    const header = headerSchema.safeParse(json);
    if (!header.success) return this.#problem(this.#line, "the line is not the first line of an export");
    const { role, version } = header.data;
    if (version > TRANSFER_VERSION) {
      return this.#problem(
        this.#line,
        `the file has version ${version}; this program knows version ${TRANSFER_VERSION}: use the newer program`,
      );
    }
    this.#target = await open(role);
  }

  async #flush(): Promise<Problem | undefined> {
    const batch = this.#batch;
    this.#batch = [];
    this.#units = 0;
    if (batch.length === 0) return undefined;
    const came = await this.#target!.accept(batch.map(({ json }) => json));
    if ("problem" in came) {
      return this.#problem(
        batch[came.row]!.line,
        `${came.problem}. Nothing was taken from line ${batch[0]!.line} on. ${this.#soFar()}`,
      );
    }
    this.#taken += came.taken;
    this.#skipped += came.skipped;
  }

  #soFar(): string {
    return `Rows taken: ${this.#taken}, skipped: ${this.#skipped}.`;
  }

  #problem(line: number, text: string): Problem {
    // The text may quote the row.
    return { problem: `${this.#file}:${line}: ${printable(text)}` };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
