/**
 * `chatter client --plain` for pipes and scripts: each line of stdin is a message, and each event is a frame on one
 * line of stdout, PROTOCOL.md §2.1. Backslashes and control characters are escaped, so that nothing is lost.
 *
 * @module
 */
import type { Message, SessionEvent } from "../src/client/session/session_events.ts";
import { SessionDriver } from "../src/client/session_driver.ts";
import { readCommand } from "../src/client/slash_commands.ts";
import { readUsername } from "../src/cli/commands.ts";
import { LineSplitter } from "./line_splitter.ts";
import { PacedSocket } from "./paced_socket.ts";
import { PlainOutput, type PlainWriters } from "./plain_output.ts";
import { socketReason } from "./problem.ts";
import { printable } from "./screen/table.ts";

/** Unacknowledged messages before it pauses reading stdin. */
const WAITING_MAX = 100;
/** UTF-16 units of a line of stdin: more than any server accepts. A longer line becomes several messages. */
const LINE_LENGTH_MAX = 1_048_576;

export interface PlainWorld extends PlainWriters {
  readonly url: string;
  readonly name: string;
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** True if a person types the lines: those that begin with a slash are commands. */
  readonly isTyped: boolean;
  /** Calls the listener at each signal to stop. */
  readonly onStop: (listener: () => void) => void;
}

/** Runs to the end. Returns 0 if all was sent and the user left on purpose, else 1 after a message. */
export async function runPlain(world: PlainWorld): Promise<0 | 1> {
  return await new PlainClient(world).run();
}

class PlainClient {
  readonly #world: PlainWorld;
  readonly #session: SessionDriver;
  readonly #end = Promise.withResolvers<void>();
  #status: 0 | 1 = 0;
  #wasIn = false;
  #isLeaving = false;
  #waiting = 0;
  #freed = Promise.withResolvers<void>();
  #entered = Promise.withResolvers<void>();
  readonly #output: PlainOutput;

  constructor(world: PlainWorld) {
    this.#world = world;
    this.#output = new PlainOutput(world, {
      onGone: () => this.#leave(),
      onCut: () => this.#end.resolve(),
    });
    this.#session = new SessionDriver({
      url: world.url,
      onEvent: (event) => this.#onEvent(event),
      WebSocket: PacedSocket,
    });
  }

  async run(): Promise<0 | 1> {
    this.#session.join(this.#world.name);
    const lines = this.#say();
    this.#world.onStop(() => this.#stop());
    await this.#end.promise;
    this.#session.end();
    if (!await this.#output.finish()) this.#status = 1;
    await lines.cancel();
    return this.#status;
  }

  /** Sends the lines of stdin, and leaves at its end; `cancel` stops it. */
  #say(): { cancel(): Promise<void> } {
    const reader = this.#world.stdin.pipeThrough(new TextDecoderStream()).getReader();
    const read = async () => {
      await this.#entered.promise;
      const splitter = new LineSplitter();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        for (const line of splitter.push(next.value)) await this.#sayLine(line);
        if (splitter.length > LINE_LENGTH_MAX) await this.#sayLine(splitter.take().slice(0, LINE_LENGTH_MAX));
      }
      await this.#sayLine(splitter.take());
      while (this.#waiting > 0) await this.#freed.promise;
      this.#leave();
    };
    read().catch((error) => this.#fail(`Cannot read stdin: ${String(error)}`));
    // A read of a terminal or a pipe may never return.
    return { cancel: () => Promise.race([reader.cancel().catch(() => {}), Promise.resolve()]) };
  }

  async #sayLine(line: string): Promise<void> {
    const text = line.replace(/\r$/, "");
    if (text.trim() === "") return;
    while (this.#waiting >= WAITING_MAX) await this.#freed.promise;
    if (this.#world.isTyped) this.#obey(text);
    else this.#session.send(text);
  }

  #obey(line: string): void {
    const command = readCommand(line);
    if (command.kind === "say") return this.#session.send(command.text);
    if (command.kind === "quit") return this.#leave();
    const username = command.kind === "nick" ? readUsername(command.name) : undefined;
    if (username !== undefined) return this.#session.wish({ kind: "rename", username });
    this.#complain("Here are /nick NAME, /me TEXT and /quit; // sends a slash");
  }

  #onEvent(event: SessionEvent): void {
    switch (event.type) {
      case "entered":
        return this.#isIn(event.how, event.serverName);
      case "state":
        return this.#connectionChanged(event);
      case "queued":
        this.#waiting++;
        return;
      case "acknowledged":
        return this.#settled();
      case "unsent":
        if (this.#isLeaving) return;
        // The history lacks the message, so it was not stored.
        this.#settled();
        return this.#session.settleDraft(event.draft.nonce, true);
      case "failed":
        if (event.wish.kind === "rename") return this.#complain(printable(event.text));
        if (event.wish.kind !== "send") return;
        this.#status = 1;
        this.#complain(`Not sent: ${printable(event.text)}: ${printable(event.wish.text.slice(0, 60))}`);
        return this.#settled();
      case "history":
        // The first page is older than this session. After a reset it is the part of the missed messages that is
        // still available.
        if (!event.isReset) return;
        this.#complain("You missed more messages than the server can send");
        if (event.messages.length > 0) this.#output.print(event.messages.map(messageLine).join("\n"));
        return;
      default: {
        const line = eventLine(event);
        if (line !== undefined) this.#output.print(line);
      }
    }
  }

  #isIn(how: "new" | "resumed" | "again", serverName: string): void {
    this.#wasIn = true;
    this.#entered.resolve();
    if (how === "resumed") this.#complain(`Reconnected to ${printable(serverName)}; you missed nothing`);
    if (how === "again") this.#complain(`Reconnected to ${printable(serverName)} as a new session`);
  }

  #connectionChanged(event: Extract<SessionEvent, { type: "state" }>): void {
    switch (event.state) {
      case "waiting":
        if (!this.#wasIn) {
          const why = socketReason(this.#session.lastError, event.text);
          return this.#fail(`Cannot reach ${this.#world.url}: ${why}`);
        }
        if (this.#isLeaving) return this.#end.resolve();
        return this.#complain(`${printable(event.text)}; reconnecting`);
      case "refused":
        return this.#fail(`${this.#world.url} refused: ${printable(event.text)}`);
      case "over":
        if (this.#isLeaving) return this.#end.resolve();
        return this.#fail(printable(event.text));
    }
  }

  #settled(): void {
    this.#waiting--;
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#waiting > 0) {
      this.#status = 1;
      this.#complain(`${this.#waiting} messages were not acknowledged`);
    }
    this.#session.leave();
  }

  #fail(why: string): void {
    this.#status = 1;
    this.#complain(why);
    this.#end.resolve();
  }

  /** At a signal: the first leaves, and a second does not wait for the readers of the output. */
  #stop(): void {
    if (this.#isLeaving) this.#output.giveUp();
    this.#leave();
  }

  #complain(line: string): void {
    this.#output.complain(line);
  }
}

/** An event as a frame on one line; undefined if it is not a broadcast. */
export function eventLine(event: SessionEvent): string | undefined {
  switch (event.type) {
    case "message":
      return messageLine(event.message);
    case "renamed":
      return oneLine(`c2/UPDATE ${event.from}; username; ${event.to}`);
    case "came":
      return oneLine(`c2/JOIN ${event.username}`);
    case "left": {
      const said = event.message === undefined ? "" : `; ${event.message}`;
      return oneLine(`c2/DISCONNECT ${event.kind}; ${event.username}${said}`);
    }
  }
}

function messageLine({ username, timestamp, uuid, text }: Message): string {
  return oneLine(`c2/MSG ${username}; ${timestamp}; ${uuid}; ${text}`);
}

function oneLine(frame: string): string {
  return printable(frame.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"));
}
