/**
 * A WebSocket that delivers its frames in slices, with a turn of the event loop after each. Deno's `WebSocket` delivers
 * all that has arrived in one turn, so a server that sends without end would starve keys, signals and writes. What is
 * not read yet stays with TCP, which slows the server.
 *
 * @module
 */
import type { AnyWebSocket } from "../src/client/session_driver.ts";

/** Frames of one turn: some milliseconds of work, and a replay of 10,000 frames takes 100 turns. */
export const SLICE_FRAMES = 100;

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];
const NO_CLOSE_FRAME = 1006;

/** What `WebSocketStream` takes and gives; Deno's types still have `code`. */
interface CloseInfo {
  readonly closeCode?: number;
  readonly reason?: string;
}

export class PacedSocket implements AnyWebSocket {
  readyState = CONNECTING;
  protocol = "";
  onopen?: () => void;
  onmessage?: (event: { readonly data: unknown }) => void;
  onerror?: (event: { readonly message: string }) => void;
  onclose?: (event: { readonly code: number; readonly reason: string }) => void;
  readonly #stream: WebSocketStream;
  readonly #handshake = new AbortController();
  #writer: WritableStreamDefaultWriter<string | Uint8Array> | undefined;

  constructor(url: string, protocols: string[]) {
    this.#stream = new WebSocketStream(url, { protocols, signal: this.#handshake.signal });
    // The reader fails with the same error.
    this.#stream.closed.catch(() => {});
    this.#run();
  }

  send(text: string): void {
    this.#writer?.write(text).catch(() => {});
  }

  close(code?: number, reason = ""): void {
    if (this.readyState >= CLOSING) return;
    // A stream that is closed waits for the answer to its handshake, which may never come.
    if (this.readyState === CONNECTING) this.#handshake.abort();
    this.readyState = CLOSING;
    const info: CloseInfo = code === undefined ? {} : { closeCode: code, reason };
    this.#stream.close(info as WebSocketCloseInfo);
  }

  async #run(): Promise<void> {
    const opened = await this.#stream.opened.catch((error) => this.#failed(error));
    if (opened !== undefined) {
      this.#writer = opened.writable.getWriter();
      this.#writer.closed.catch(() => {});
      this.protocol = opened.protocol;
      // `close` may have been called in the meantime.
      if (this.readyState === CONNECTING) {
        this.readyState = OPEN;
        this.onopen?.();
      }
      await this.#read(opened.readable.getReader());
    }
    const { closeCode = NO_CLOSE_FRAME, reason = "" }: CloseInfo = await this.#stream.closed.catch(
      () => ({}),
    );
    this.readyState = CLOSED;
    this.onclose?.({ code: closeCode, reason });
  }

  async #read(reader: ReadableStreamDefaultReader<string | Uint8Array>): Promise<void> {
    for (let frames = 1;; frames++) {
      const next = await reader.read().catch((error) => this.#failed(error));
      if (next === undefined || next.done) return;
      if (this.readyState === OPEN) this.onmessage?.({ data: next.value });
      if (frames % SLICE_FRAMES === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  #failed(error: unknown): undefined {
    this.onerror?.({ message: error instanceof Error ? error.message : String(error) });
  }
}
