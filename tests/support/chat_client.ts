/**
 * A client for tests over a real WebSocket: sends texts, reads frames one by one, and reports what it saw if a frame is
 * missing. Of c2 it has only CONNECT and PING: the test says what a frame should be.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import { PATIENCE_MS } from "./patience.ts";

export class ChatClient implements AsyncDisposable {
  /** Frames so far, for the message of a failure. */
  readonly seen: string[] = [];
  /** How the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  readonly #unread: string[] = [];
  #arrived: (() => void) | undefined;
  #ended = false;
  #pings = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      this.seen.push(data);
      this.#unread.push(data);
      this.#arrived?.();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        this.#ended = true;
        this.#arrived?.();
        resolve({ code, reason });
      };
    });
  }

  /** Opens a socket without CONNECT; `isLive` opts into the extended mode. */
  static async open(url: string, isLive = false): Promise<ChatClient> {
    const socket = new WebSocket(url.replace(/^http/, "ws"), isLive ? [LIVE_SUBPROTOCOL] : []);
    const client = new ChatClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = (event) =>
        reject(new Error(`No connection to ${url}: ${(event as ErrorEvent).message}`));
    });
    socket.onerror = () => {};
    return client;
  }

  /** Opens a socket and connects as `name`. */
  static async connect(url: string, name: string): Promise<ChatClient> {
    const client = await ChatClient.open(url);
    const answer = await client.ask(`c2/CONNECT ${name}`);
    if (!answer.startsWith("c2/ACKNOWLEDGE ")) throw new Error(`${name} was not let in: ${answer}`);
    return client;
  }

  send(text: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(text);
  }

  /** The next frame that was not read yet. */
  async next(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.#unread.length === 0) {
      if (this.#ended) throw new Error(`The connection ended; it had brought ${JSON.stringify(this.seen)}`);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`No frame came; before it came ${JSON.stringify(this.seen)}`)),
          deadline - Date.now(),
        );
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#unread.shift()!;
  }

  /** Sends a frame and reads the next one. */
  ask(text: string): Promise<string> {
    this.send(text);
    return this.next();
  }

  /** Reads the next frames and compares them whole. */
  async expect(...frames: string[]): Promise<void> {
    const got: string[] = [];
    for (const _ of frames) got.push(await this.next());
    assertEquals(got, frames);
  }

  /** Reads up to the first frame that matches, and returns that. */
  async skipTo(pattern: RegExp): Promise<string> {
    while (true) {
      const frame = await this.next();
      if (pattern.test(frame)) return frame;
    }
  }

  /**
   * All frames up to now: sends a PING and reads to its answer. What did not come before the answer was not sent, so
   * "nothing came" is a fact, not a wait. On another node of a cluster, what was acknowledged here may still be under way.
   */
  async drain(): Promise<string[]> {
    const mark = `${9_000_000_000_000 + ++this.#pings}`;
    this.send(`c2/PING ${mark}`);
    const frames: string[] = [];
    while (true) {
      const frame = await this.next();
      if (frame.startsWith(`c2/PING ${mark}; `)) return frames;
      frames.push(frame);
    }
  }

  /**
   * Sends `text` and returns the id of its broadcast, which this client receives too. Other frames meanwhile are
   * skipped: on several threads the departure of a closed client may be broadcast at any later time.
   */
  async say(text: string): Promise<string> {
    await this.drain();
    this.send(`c2/MSG 1; ${text}`);
    for (let frame = ""; frame !== "c2/ACKNOWLEDGE";) {
      frame = await this.next();
      assert(!frame.startsWith("c2/ERROR "), frame);
    }
    while (true) {
      const [type, , uuid = "", ...said] = (await this.next()).split("; ");
      if (type!.startsWith("c2/MSG ") && said.join("; ") === text) return uuid;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
