/**
 * `chatter export` and `chatter import`: choose the file, and the store or the running server. An exported file is
 * readable by this user only, and has its name only once it is complete.
 *
 * @module
 */
import type { LineOf } from "../src/cli/command_line.ts";
import type { TransferHeader, TransferStore } from "../src/kv/transfer.ts";
import { AdminClient } from "./admin_client.ts";
import { type CommandOutcome, reasonOf } from "./problem.ts";
import { ExportClient, ExportFailed } from "./export_client.ts";
import { exportLines, summary } from "./export_lines.ts";
import { importLines, linesOf } from "./import_lines.ts";
import { writeAll } from "../src/write_all.ts";

export interface TransferSurroundings {
  /**
   * Opens a store for the duration of the command; `role` is the expected owner, if known. Throws errors with
   * messages for users.
   */
  readonly openStore: (
    place: string,
    role: TransferHeader["role"] | undefined,
  ) => Promise<TransferStore>;
  /** The message for a failure of the world; undefined for a bug. */
  readonly explain: (error: unknown) => string | undefined;
  readonly stdout: (text: string) => Promise<void>;
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Returns the summary to print beside the export, which may be on stdout. */
export async function runExport(
  { operand, values }: LineOf<"export">,
  around: TransferSurroundings,
): Promise<CommandOutcome> {
  const { server, token, kv, keys } = values;
  return await explained(around, async () => {
    await using store = kv === undefined ? undefined : await around.openStore(kv, undefined);
    const source = store ?? new ExportClient(new AdminClient(server, token));
    const kinds = operand === "-"
      ? await exportLines(source, keys, (text) => written("stdout", around.stdout(text)))
      : await exportToFile(operand, (write) => exportLines(source, keys, write));
    return { output: `Exported ${summary(kinds)}.\n` };
  });
}

export async function runImport(
  { operand, values }: LineOf<"import">,
  around: TransferSurroundings,
): Promise<CommandOutcome> {
  return await explained(around, async () => {
    await using held = new AsyncDisposableStack();
    const bytes = operand === "-" ? around.stdin : (await opened(operand)).readable;
    const lines = linesOf(bytes.pipeThrough(new TextDecoderStream()));
    return await importLines(operand === "-" ? "stdin" : operand, lines, async (role) => {
      return held.use(await around.openStore(values.kv, role));
    });
  });
}

/** Writes under another name until complete, so that a failed export does not destroy an earlier one. */
async function exportToFile<T>(
  path: string,
  fill: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const part = `${path}.part`;
  await Deno.remove(part).catch(() => {});
  try {
    using file = await opened(part, { write: true, createNew: true, mode: 0o600 });
    const filled = await fill((text) => written(path, writeAll(file, text)));
    await written(path, file.sync());
    await written(path, Deno.rename(part, path));
    return filled;
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** Opens a file that is no folder. Throws `FileFailed` with a line for users. */
async function opened(path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    const file = await Deno.open(path, options);
    if (!(await file.stat()).isDirectory) return file;
    file.close();
  } catch (error) {
    throw new FileFailed(`Cannot open ${path}: ${reasonOf(error)}`);
  }
  throw new FileFailed(`Cannot open ${path}: it is a folder`);
}

/** Rejects with a line for users if `writing` does. */
async function written(place: string, writing: Promise<void>): Promise<void> {
  await writing.catch((error) => {
    throw new FileFailed(`Cannot write ${place}: ${reasonOf(error)}`);
  });
}

class FileFailed extends Error {
  override name = "FileFailed";
}

async function explained(
  { explain }: TransferSurroundings,
  act: () => Promise<CommandOutcome>,
): Promise<CommandOutcome> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ExportFailed || error instanceof FileFailed) return { problem: error.message };
    const problem = explain(error) ??
      (Object.values(Deno.errors).some((kind) => error instanceof kind) ? reasonOf(error) : undefined);
    if (problem === undefined) throw error;
    return { problem };
  }
}
