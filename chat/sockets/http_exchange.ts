/**
 * One HTTP request over a socket of node:net: read whole within its bounds, answered, and the connection ended; or
 * handed on where a WebSocket was let in.
 *
 * Not a web server: one request a connection, bodies of a known small length, answers that fit memory. node:http
 * would do as well where it could cut a peer, which it cannot on every Deno that this runs on: there, a destroyed
 * socket stays open, requests have no time limit, and an upgrade does not know the peer's address.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import { HEAD_BYTES_MAX, headEnd, isBadHead, readHead, type RequestHead } from "./request_head.ts";
import type { AdmittedSocket, Peer } from "./transport.ts";

/** Milliseconds from the connection to the whole request: half a request holds memory and a file descriptor. */
export const REQUEST_MS = 10_000;
/** Milliseconds for the work on an answer, and for the peer to take it. */
const ANSWER_MS = 30_000;
/** Milliseconds for the peer to end the connection, after which a refusal may be lost on its way and it is cut. */
const LINGER_MS = 2000;

/** A request for a WebSocket that was let in. */
export interface Handshake {
  readonly head: RequestHead;
  readonly admitted: AdmittedSocket;
  /** What came after the head. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

export interface HttpExchangeOptions {
  readonly isTls: boolean;
  readonly maxBodyBytes: number;
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
  /** Takes the socket over, which is paused, and has it released where that works. */
  readonly onUpgrade: (exchange: HttpExchange, handshake: Handshake) => void;
  readonly steadyMs: () => number;
  readonly wallMs: () => number;
  /** The connection is gone, and was not handed on. */
  readonly onClosed: () => void;
  readonly onBug: (error: unknown) => void;
}

export class HttpExchange {
  /** When it is overdue and has to be cut, by the steady clock. */
  deadlineMs: number;
  readonly socket: Socket;
  readonly #options: HttpExchangeOptions;
  /** One character a byte. */
  #text = "";
  #head: RequestHead | undefined;
  #body = new Uint8Array(0);
  #bodyBytes = 0;
  #isRead = false;

  constructor(socket: Socket, options: HttpExchangeOptions) {
    this.socket = socket;
    this.#options = options;
    this.deadlineMs = options.steadyMs() + REQUEST_MS;
    socket.on("data", this.#onData);
    socket.on("close", options.onClosed);
  }

  /** Whether the request has come whole. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Lets go of the socket, which somebody else has taken over. */
  release(): void {
    this.socket.removeListener("close", this.#options.onClosed);
  }

  readonly #onData = (chunk: Uint8Array<ArrayBuffer>) => {
    try {
      if (this.#head === undefined) this.#readHead(chunk);
      else this.#readBody(this.#head, chunk);
    } catch (error) {
      this.#options.onBug(error);
      this.socket.destroy();
    }
  };

  #readHead(chunk: Uint8Array<ArrayBuffer>): void {
    const seen = this.#text.length;
    this.#text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    const end = headEnd(this.#text, seen);
    if ((end ?? this.#text.length) > HEAD_BYTES_MAX) {
      return this.#refuse(STATUS_CODE.RequestHeaderFieldsTooLarge, "The head of the request is too large");
    }
    if (end === undefined) return;
    const head = readHead(this.#text.slice(0, end));
    this.#text = "";
    if (isBadHead(head)) return this.#refuse(head.status, head.text);
    if (head.bodyBytes > this.#options.maxBodyBytes) {
      return this.#refuse(STATUS_CODE.ContentTooLarge, "The body of the request is too large");
    }
    this.#head = head;
    if (!head.isUpgrade) this.#body = new Uint8Array(head.bodyBytes);
    this.#readBody(head, chunk.subarray(end - seen));
  }

  #readBody(head: RequestHead, chunk: Uint8Array<ArrayBuffer>): void {
    const part = head.isUpgrade ? chunk : chunk.subarray(0, this.#body.length - this.#bodyBytes);
    if (!head.isUpgrade) {
      this.#body.set(part, this.#bodyBytes);
      this.#bodyBytes += part.length;
      if (this.#bodyBytes < this.#body.length) return;
    }
    this.#stopReading();
    this.#answer(head, chunk).catch((error) => {
      this.#options.onBug(error);
      this.socket.destroy();
    });
  }

  #stopReading(): void {
    this.#isRead = true;
    this.socket.removeListener("data", this.#onData);
    this.socket.pause();
    this.deadlineMs = this.#options.steadyMs() + ANSWER_MS;
  }

  async #answer(head: RequestHead, rest: Uint8Array<ArrayBuffer>): Promise<void> {
    const scheme = this.#options.isTls ? "https" : "http";
    const url = `${scheme}://${head.headers.get("host") ?? "localhost"}${head.target}`;
    if (!URL.canParse(url)) return this.#refuse(STATUS_CODE.BadRequest, "The host is malformed");
    const hasBody = head.method !== "GET" && head.method !== "HEAD" && this.#bodyBytes > 0;
    let request: Request;
    try {
      const body = hasBody ? this.#body : null;
      request = new Request(url, { method: head.method, headers: head.headers, body });
    } catch {
      // A method that the platform takes from nobody, as TRACE.
      return this.#refuse(STATUS_CODE.BadRequest, "The request is malformed");
    }
    let admitted: AdmittedSocket | undefined;
    const response = await this.#options.handle(request, {
      remoteAddress: this.socket.remoteAddress ?? "",
      upgrade: (socket) => {
        admitted = socket;
        return new Response(null);
      },
    });
    if (admitted !== undefined) {
      this.#options.onUpgrade(this, { head, admitted, rest });
      return;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const body = head.method === "HEAD" ? new Uint8Array(0) : bytes;
    this.#write(response.status, response.headers, body, bytes.length);
  }

  #refuse(status: number, text: string): void {
    this.#stopReading();
    const bytes = new TextEncoder().encode(`${text}\n`);
    const headers = new Headers({ "content-type": "text/plain; charset=UTF-8" });
    this.#write(status, headers, bytes, bytes.length);
    this.deadlineMs = this.#options.steadyMs() + LINGER_MS;
  }

  #write(status: number, headers: Headers, body: Uint8Array, bodyBytes: number): void {
    if (this.socket.destroyed) return;
    headers.delete("transfer-encoding");
    headers.set("connection", "close");
    headers.set("date", new Date(this.#options.wallMs()).toUTCString());
    if (status >= STATUS_CODE.OK && status !== STATUS_CODE.NoContent && status !== STATUS_CODE.NotModified) {
      headers.set("content-length", String(bodyBytes));
    }
    let head = `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? ""}\r\n`;
    for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
    this.socket.write(Buffer.from(`${head}\r\n`, "latin1"));
    this.socket.end(body);
    // What else comes is read and dropped: to leave it unread would reset the connection, and the answer with it.
    this.socket.resume();
  }
}
