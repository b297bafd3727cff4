/**
 * `chatter export` and `chatter import` as commands: which file, and a server that runs or a store.
 *
 * A file that is written is this user's alone, and there under its name when it is whole.
 *
 * @module
 */
import type { ExportLine, ImportLine } from "../src/cli/command_line.ts";
import type { Transfer, TransferHeader } from "../src/kv/transfer.ts";
import { AdminClient } from "./admin_client.ts";
import { type Outcome, type Problem, reasonOf } from "./problem.ts";
import { exportLines, importLines, linesOf, summary } from "./transfer.ts";
import { TransferClient, TransferFailed } from "./transfer_client.ts";

/** What the commands need of the program around them. */
export interface TransferSurroundings {
  /**
   * Opens a store for as long as the command takes; `role` is whose it is to be, where that is known. Throws an error
   * whose message is for people.
   */
  readonly openStore: (
    place: string,
    role: TransferHeader["role"] | undefined,
  ) => Promise<Transfer & AsyncDisposable>;
  /** What the message of an error is where it is one of the world; undefined for a bug. */
  readonly explain: (error: unknown) => string | undefined;
  readonly stdout: (text: string) => Promise<void>;
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Answers what is to be told beside the export, which may be on stdout. */
export async function runExport(
  { operand, values }: ExportLine,
  around: TransferSurroundings,
): Promise<Outcome> {
  const asked = serverOf(values);
  if ("problem" in asked) return asked;
  return await explained(around, async () => {
    await using end = await endOf(values, asked.server, around, undefined);
    const kinds = operand === "-"
      ? await exportLines(end.transfer, values.keys, around.stdout)
      : await exportToFile(operand, (write) => exportLines(end.transfer, values.keys, write));
    return { output: `Exported ${summary(kinds)}.\n` };
  });
}

export async function runImport(
  { operand, values }: ImportLine,
  around: TransferSurroundings,
): Promise<Outcome> {
  const asked = serverOf(values);
  if ("problem" in asked) return asked;
  return await explained(around, async () => {
    await using held = new AsyncDisposableStack();
    const bytes = operand === "-" ? around.stdin : (await Deno.open(operand)).readable;
    const lines = linesOf(bytes.pipeThrough(new TextDecoderStream()));
    return await importLines(operand === "-" ? "stdin" : operand, lines, async (role) => {
      return held.use(await endOf(values, asked.server, around, role)).transfer;
    });
  });
}

type Source = ExportLine["values"] | ImportLine["values"];

/** The server to ask; undefined where a store is named. */
function serverOf({ server, token, kv }: Source): { server: AdminClient | undefined } | Problem {
  if (kv !== undefined) return { server: undefined };
  if (token === undefined) {
    return { problem: "It needs --token, or CHATTER_ADMIN_TOKEN, to ask a server; or --kv, for a store" };
  }
  return { server: new AdminClient(server, token) };
}

async function endOf(
  { kv }: Source,
  server: AdminClient | undefined,
  { openStore }: TransferSurroundings,
  role: TransferHeader["role"] | undefined,
): Promise<AsyncDisposable & { readonly transfer: Transfer }> {
  if (server !== undefined) {
    return { transfer: new TransferClient(server), [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const transfer = await openStore(kv!, role);
  return { transfer, [Symbol.asyncDispose]: () => transfer[Symbol.asyncDispose]() };
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
    if (error instanceof TransferFailed) return { problem: error.message };
    const problem = explain(error) ??
      (Object.values(Deno.errors).some((kind) => error instanceof kind) ? reasonOf(error) : undefined);
    if (problem === undefined) throw error;
    return { problem };
  }
}
