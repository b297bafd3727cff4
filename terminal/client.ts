/**
 * `chatter client`: starts the client for a terminal or the plain one for a pipe, under the right name. It does no
 * chatting itself.
 *
 * @module
 */
import type { LineOf } from "../src/cli/command_line.ts";
import { readUsername } from "../src/cli/commands.ts";
import { onSignals, onStop } from "../src/serving/signals.ts";
import { type Paint, painter } from "./screen/colours.ts";
import { KeyDecoder } from "./screen/keys.ts";
import { PersonClient } from "./person_client.ts";
import { runPlain } from "./plain_client.ts";
import { Tty } from "./tty.ts";
import { writeAll } from "../src/write_all.ts";

/** Milliseconds after an escape in which the rest of a key sequence arrives. */
const ESCAPE_MS = 50;
/** Milliseconds that a terminal has for the last drawing after a second signal: one that hangs takes none. */
const LAST_DRAWING_MS = 200;

/** Runs to the end. Returns 0 after leaving, 1 after a failure, 2 if a name is missing. */
export async function runClient(
  { operand: url, values }: LineOf<"client">,
  { user, term }: { readonly user: string | undefined; readonly term: string | undefined },
): Promise<0 | 1 | 2> {
  const name = values.name ?? readUsername(user ?? "");
  // A terminal that cannot move its cursor gets the plain client, with some commands.
  const isPerson = Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && term !== "dumb";
  if (!values.plain && isPerson) {
    const paint = painter(!Deno.noColor, Deno.build.os === "windows" ? undefined : term ?? "");
    return await runPerson(url, name, paint, !values.noBell);
  }
  if (name === undefined) {
    await complain(
      "chatter: chatter client --plain needs --name: $USER is not a valid username\n",
    );
    return 2;
  }
  const { stdin } = Deno;
  const isTyped = !values.plain && stdin.isTerminal();
  return await runPlain({ url, name, stdin: stdin.readable, isTyped, print, complain, onStop });
}

async function runPerson(
  url: string,
  name: string | undefined,
  paint: Paint,
  hasBell: boolean,
): Promise<0 | 1> {
  const tty = new Tty();
  const client = new PersonClient({
    url,
    name,
    size: tty.size,
    paint,
    hasBell,
    write: (text) => tty.write(text),
  });
  try {
    tty.onResize(() => client.resize(tty.size));
    const leave = () => client.leave();
    onSignals({
      SIGINT: () => client.press([{ kind: "key", name: "interrupt" }]),
      SIGTERM: leave,
      SIGQUIT: leave,
      SIGCONT: () => {
        tty.take();
        client.redraw();
      },
    });
    readKeys(tty, client);
    client.start();
    const { problem } = await client.ended;
    const closed = client.close().then(() => tty.close());
    const late = client.hurried.then(() => new Promise((resolve) => setTimeout(resolve, LAST_DRAWING_MS)));
    // Deno restores the terminal's settings at its exit, too.
    await Promise.race([closed, late]);
    if (problem === undefined) return 0;
    await Promise.race([complain(`chatter: ${problem}\n`), late]);
    return 1;
  } catch (error) {
    await tty.close();
    throw error;
  }
}

async function readKeys(tty: Tty, client: PersonClient): Promise<void> {
  const decoder = new KeyDecoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const bytes of tty.bytes()) {
    clearTimeout(timer);
    client.press(decoder.feed(bytes));
    if (decoder.isWaiting) timer = setTimeout(() => client.press(decoder.flush()), ESCAPE_MS);
  }
  client.leave();
}

/** Writes to stdout; false if its reader is gone. Rejects if stdout cannot be written. */
async function print(text: string): Promise<boolean> {
  try {
    await writeAll(Deno.stdout, text);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

/** Writes to stderr. Where that cannot be written, the exit status alone says it. */
async function complain(text: string): Promise<void> {
  await writeAll(Deno.stderr, text).catch(() => {});
}
