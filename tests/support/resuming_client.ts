/**
 * A client of the extended mode, written from PROTOCOL.md §12 alone: it reconnects when its connection breaks, resumes,
 * repeats what was not acknowledged, and records the broadcasts.
 *
 * @module
 */
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";

/** Frames that may be unanswered: several, so that a cut affects some. */
const WINDOW = 8;

/** Broadcasts without a gap: from a CONNECT or a first SESSION, over any number of resumes. */
export interface Stretch {
  /** The position of the SESSION that began it. */
  readonly from: number;
  /** Broadcasts in order, with the position that the client counted. */
  readonly broadcasts: { readonly position: number; readonly text: string }[];
}

export class ResumingClient {
  readonly name: string;
  /** Ids by nonce, as acknowledged. */
  readonly acknowledged = new Map<string, string>();
  readonly stretches: Stretch[] = [];
  /** Resumes that succeeded, and those that were refused. */
  resumes = 0;
  refusals: string[] = [];
  readonly #url: () => string;
  readonly #texts: readonly string[];
  readonly #onProgress: (client: ResumingClient) => void;
  #socket: WebSocket | undefined;
  #token: string | undefined;
  #position = 0;
  #stopped = false;

  /** `onProgress` is called after each acknowledgement. */
  constructor(
    name: string,
    url: () => string,
    texts: readonly string[],
    onProgress: (client: ResumingClient) => void = () => {},
  ) {
    this.name = name;
    this.#url = url;
    this.#texts = texts;
    this.#onProgress = onProgress;
  }

  get isDone(): boolean {
    return this.acknowledged.size === this.#texts.length;
  }

  /** Resolves when everything is acknowledged and `stop` was called. */
  async run(): Promise<void> {
    while (!this.#stopped) await this.#connection();
  }

  /** Ends the connection for good. */
  stop(): void {
    this.#stopped = true;
    this.#socket?.close();
  }

  #connection(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = new WebSocket(this.#url().replace(/^http/, "ws"), [LIVE_SUBPROTOCOL]);
    this.#socket = socket;
    let isResuming = this.#token !== undefined;
    let isIn = false;
    const unacknowledged = new Set<string>();
    const sendMore = () => {
      for (const [i, text] of this.#texts.entries()) {
        if (unacknowledged.size >= WINDOW) return;
        const nonce = `${this.name}-${i}`;
        if (this.acknowledged.has(nonce) || unacknowledged.has(nonce)) continue;
        unacknowledged.add(nonce);
        socket.send(`c2/SEND ${nonce}; 1; ${text}`);
      }
    };
    socket.onopen = () =>
      socket.send(isResuming ? `c2/RESUME ${this.#token}; ${this.#position}` : `c2/CONNECT ${this.name}`);
    socket.onmessage = ({ data: frame }: MessageEvent<string>) => {
      if (this.#stopped) return;
      if (frame.startsWith("c2/SESSION ")) {
        const [token, position] = frame.slice("c2/SESSION ".length).split("; ");
        this.#token = token;
        this.#position = Number(position);
        if (isResuming) this.resumes++;
        else this.stretches.push({ from: this.#position, broadcasts: [] });
        isResuming = true;
        isIn = true;
        sendMore();
      } else if (frame.startsWith("c2/ACKNOWLEDGE ") && isIn) {
        const [nonce = "", uuid = ""] = frame.slice("c2/ACKNOWLEDGE ".length).split("; ");
        const before = this.acknowledged.get(nonce);
        if (before !== undefined && before !== uuid) throw new Error(`${nonce} is ${before} and ${uuid}`);
        unacknowledged.delete(nonce);
        this.acknowledged.set(nonce, uuid);
        this.#onProgress(this);
        sendMore();
      } else if (/^c2\/(?:MSG|UPDATE|DISCONNECT|JOIN) /.test(frame)) {
        this.#position++;
        this.stretches.at(-1)!.broadcasts.push({ position: this.#position, text: frame });
      } else if (frame.startsWith("c2/ERROR ")) {
        this.refusals.push(frame);
        this.#token = undefined;
        isResuming = false;
        // A name of an earlier session is free once its departure was broadcast.
        socket.send(`c2/CONNECT ${this.name}`);
      }
    };
    socket.onerror = () => {};
    socket.onclose = () => resolve();
    return promise;
  }
}
