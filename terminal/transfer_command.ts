/**
 * `chatter export` and `chatter import` as commands: which file, and which store, or the server that an export asks.
 *
 * A file that is written is this user's alone, and there under its name when it is whole.
 *
 * @module
 */
import type { LineOf } from "../src/cli/command_line.ts";
import type { TransferHeader, TransferStore } from "../src/kv/transfer.ts";
import { AdminClient } from "./admin_client.ts";
import { type Outcome, reasonOf } from "./problem.ts";
import { ExportClient, ExportFailed } from "./export_client.ts";
import { exportLines, summary } from "./export_lines.ts";
import { importLines, linesOf } from "./import_lines.ts";

/** What the commands need of the program around them. */
export interface TransferSurroundings {
  /**
   * Opens a store for as long as the command takes; `role` is whose it is to be, where that is known. Throws an error
   * whose message is for people.
   */
  readonly openStore: (
    place: string,
    role: TransferHeader["role"] | undefined,
  ) => Promise<TransferStore>;
  /** What the message of an error is where it is one of the world; undefined for a bug. */
  readonly explain: (error: unknown) => string | undefined;
  readonly stdout: (text: string) => Promise<void>;
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Answers what is to be told beside the export, which may be on stdout. */
export async function runExport(
  { operand, values }: LineOf<"export">,
  around: TransferSurroundings,
): Promise<Outcome> {
  const { server, token, kv, keys } = values;
  return await explained(around, async () => {
    await using store = kv === undefined ? undefined : await around.openStore(kv, undefined);
    const source = store ?? new ExportClient(new AdminClient(server, token));
    const kinds = operand === "-"
      ? await exportLines(source, keys, around.stdout)
      : await exportToFile(operand, (write) => exportLines(source, keys, write));
    return { output: `Exported ${summary(kinds)}.\n` };
  });
}

export async function runImport(
  { operand, values }: LineOf<"import">,
  around: TransferSurroundings,
): Promise<Outcome> {
  return await explained(around, async () => {
    await using held = new AsyncDisposableStack();
    const bytes = operand === "-" ? around.stdin : (await Deno.open(operand)).readable;
    const lines = linesOf(bytes.pipeThrough(new TextDecoderStream()));
    return await importLines(operand === "-" ? "stdin" : operand, lines, async (role) => {
      return held.use(await around.openStore(values.kv, role));
    });
  });
}

/** Under another name until it is whole, so that a copy of before is not lost for one that is broken off. */
async function exportToFile<T>(
  path: string,
  fill: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const part = `${path}.part`;
  // One that is left of a command that was killed is of no use to anybody.
  await Deno.remove(part).catch(() => {});
  try {
    using file = await Deno.open(part, { write: true, createNew: true, mode: 0o600 });
    const filled = await fill(async (text) => {
      for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
        rest = rest.subarray(await file.write(rest));
      }
    });
    await file.sync();
    await Deno.rename(part, path);
    return filled;
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

async function explained(
  { explain }: TransferSurroundings,
  act: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ExportFailed) return { problem: error.message };
    const problem = explain(error) ??
      (Object.values(Deno.errors).some((kind) => error instanceof kind) ? reasonOf(error) : undefined);
    if (problem === undefined) throw error;
    return { problem };
  }
}
