/**
 * Runs one server of the comparison as a process: starts it on a free port, waits for it and ends it by its handle.
 * It ends no other process.
 *
 * @module
 */
import { isOpen } from "../../tests/support/open_port.ts";

/** Milliseconds until a server must accept connections; compiling TypeScript for the first time takes longest. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 10;
/** Characters of its output shown if it does not start. */
const SHOWN_MAX = 2000;

/** The running servers, for `endOnSignals`. */
const children = new Set<Deno.ChildProcess>();

/** On Ctrl-C or SIGTERM ends the started servers, deletes `scratch` and exits. */
export function endOnSignals(scratch: string): void {
  const end = () => {
    for (const child of children) child.kill("SIGKILL");
    Deno.removeSync(scratch, { recursive: true });
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, end);
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts `command` and waits until `port` accepts connections. Throws its output if it does not. */
export async function startServer(
  command: readonly string[],
  port: number,
  folder: string,
): Promise<RunningServer> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  })
    .spawn();
  children.add(child);
  let written = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      written = (written + text).slice(-SHOWN_MAX);
    }
  })();
  let hasEnded = false;
  const ending = child.status.then(() => {
    hasEnded = true;
    children.delete(child);
  });
  const stop = async () => {
    // Killed, because its store is deleted and a graceful stop would only take time.
    if (!hasEnded) child.kill("SIGKILL");
    await Promise.all([ending, reading]);
  };
  const until = Date.now() + PATIENCE_MS;
  while (!await isOpen(port)) {
    if (hasEnded || Date.now() > until) {
      await stop();
      throw new Error(`${command.join(" ")}: ${hasEnded ? "ended" : "did not listen"}: ${written}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { port, pid: child.pid, [Symbol.asyncDispose]: stop };
}
