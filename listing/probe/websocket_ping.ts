/**
 * One `c2/PING` over a WebSocket to one IP address, PROTOCOL.md §9.3, with a limit on bytes. It implements the part
 * of RFC 6455 that one text frame in each direction needs: no redirects, extensions or fragments.
 *
 * npm `ws` works on Deno 2.9 but not on Deno Deploy's runtime (tried: 2.4.2 and 2.5.6). There `lookup` is not
 * implemented, IPv6 fails, and the certificate is checked against the IP address instead of `servername`. A peer that
 * stays silent during the TLS handshake keeps two descriptors open forever.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { bracketed, type ServerAddress } from "../../src/address.ts";
import { answerTo, makeChallenge } from "../../src/announcement/proof.ts";
import type { NowMs } from "../../src/clock.ts";
import { decodeServerFrame, encodeClientFrame } from "../../src/protocol/codec.ts";
import { VERSION } from "../../src/version.ts";
import type { PingOutcome } from "./prober.ts";
import { writeAll } from "../../src/write_all.ts";

/** Bytes of the answer's HTTP head; servers and proxies send a few hundred. */
export const HEAD_BYTES_MAX = 8192;
/** Bytes of the answering frame; the longest valid one has 87. */
export const FRAME_BYTES_MAX = 1024;
/** Control frames allowed before the answer: a server may send a WebSocket ping first. */
export const CONTROL_FRAMES_MAX = 4;

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;
const FIN = 0x80;
const MASKED = 0x80;
const NORMAL_CLOSURE = 1000;
const NONCE_BYTES = 24;
const BLANK_LINE = "\r\n\r\n";

export interface PingRequest {
  /** The checked address. The connection goes there, whatever the name resolves to by now. */
  readonly ip: string;
  /** Its host goes into the Host header and, with TLS, is the name that the certificate must match. */
  readonly address: ServerAddress;
  readonly id: number;
  readonly proof?: string | undefined;
  readonly timestamp: number;
  readonly steadyClock: NowMs;
  /** PEM certificates of authorities trusted in addition to the system's. */
  readonly caCerts: readonly string[];
  /** Called when the TCP connection is established. */
  readonly onConnected?: () => void;
}

/** Connects, pings and closes the connection in all cases. Rejects if the connection fails or `limit` is aborted. */
export async function pingOverWebSocket(request: PingRequest, limit: AbortSignal): Promise<PingOutcome> {
  let conn: Deno.Conn = await Deno.connect({
    hostname: request.ip,
    port: request.address.port,
    signal: limit,
  });
  request.onConnected?.();
  const hangUp = () => closeQuietly(conn);
  // Closing the connection ends a pending read or write.
  limit.addEventListener("abort", hangUp);
  try {
    if (request.address.tls) {
      const tlsConn = await Deno.startTls(conn as Deno.TcpConn, {
        hostname: request.address.host,
        alpnProtocols: ["http/1.1"],
        caCerts: [...request.caCerts],
      });
      conn = tlsConn;
      limit.throwIfAborted();
      // Awaited separately: on Deno 2.4.2 closing ends a handshake but not a write that waits for one.
      await tlsConn.handshake();
    }
    // The limit may have been aborted before there was a connection to close.
    limit.throwIfAborted();
    return await converse(conn, request);
  } finally {
    limit.removeEventListener("abort", hangUp);
    hangUp();
  }
}

async function converse(conn: Deno.Conn, request: PingRequest): Promise<PingOutcome> {
  const incoming = new Incoming(conn);
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  await writeAll(conn, new TextEncoder().encode(openingHandshake(request.address, key)));
  const head = await incoming.readHead();
  if (head === undefined) {
    return unanswered(
      incoming.held < HEAD_BYTES_MAX
        ? "the server closed the connection without an answer"
        : `the head of its HTTP answer is longer than ${HEAD_BYTES_MAX} bytes`,
    );
  }
  const headProblem = problemOfHead(head, key);
  if (headProblem !== undefined) return unanswered(headProblem);

  const asked = question(request);
  const sentMs = request.steadyClock();
  await writeAll(conn, maskedFrame(OPCODE.text, encodeClientFrame(asked)));
  const answer = await readTextFrame(incoming);
  if ("problem" in answer) return unanswered(answer.problem);
  const judged = judgeAnswer(answer.text, asked, request);
  if ("problem" in judged) return unanswered(judged.problem);
  const roundTripMs = Math.max(0, request.steadyClock() - sentMs);
  const close = maskedFrame(OPCODE.close, Uint8Array.of(NORMAL_CLOSURE >> 8, NORMAL_CLOSURE & 0xff));
  await writeAll(conn, close).catch(() => {/* It has answered: how it takes the goodbye is its own. */});
  return { answered: true, roundTripMs, ...judged };
}

function question({ timestamp, proof }: PingRequest) {
  const ping = { type: "PING", timestamp: String(timestamp) } as const;
  if (proof === undefined) return ping;
  return { ...ping, challenge: makeChallenge(proof, randomBytes(NONCE_BYTES).toString("base64url")) };
}

function unanswered(problem: string): PingOutcome {
  return { answered: false, problem };
}

function openingHandshake(address: ServerAddress, key: string): string {
  const isDefaultPort = address.port === (address.tls ? 443 : 80);
  return [
    "GET / HTTP/1.1",
    `Host: ${bracketed(address.host)}${isDefaultPort ? "" : `:${address.port}`}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    `User-Agent: chatter-listing/${VERSION}`,
    "\r\n",
  ].join("\r\n");
}

/** Checks the answer to the opening handshake, RFC 6455 §4.1. Returns the problem, or undefined if it is valid. */
function problemOfHead(head: string, key: string): string | undefined {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] ([0-9]{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) return "the server did not answer with HTTP";
  if (status !== "101") {
    return `the server answered HTTP ${status} instead of 101, so there is no WebSocket (the listing follows no redirects)`;
  }
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const accept = createHash("sha1").update(key + MAGIC).digest("base64");
  const upgraded = headers.get("upgrade")?.toLowerCase() === "websocket" &&
    /(?:^|[\s,])upgrade(?:$|[\s,])/i.test(headers.get("connection") ?? "");
  if (!upgraded || headers.get("sec-websocket-accept") !== accept) {
    return "the server's answer to the WebSocket handshake is wrong";
  }
  if (headers.has("sec-websocket-extensions") || headers.has("sec-websocket-protocol")) {
    return "the server chose a WebSocket extension or subprotocol that was not offered";
  }
}

/** Judges the answering frame. A problem does not repeat the peer's text. */
function judgeAnswer(
  text: string,
  { timestamp, challenge }: ReturnType<typeof question> & { readonly challenge?: string },
  { id, proof }: PingRequest,
): { readonly problem: string } | { readonly isProven: boolean } {
  const wanted = `c2/PING ${timestamp}; ${id}`;
  const problem = (text: string) => ({ problem: `the server answered ${text}` });
  const frame = decodeServerFrame(text);
  if (frame === undefined) return problem(`something other than ${wanted}`);
  if (frame.type !== "PING") return problem(`c2/${frame.type} instead of ${wanted}`);
  if (frame.serverId !== id) return problem(`with the id ${frame.serverId} instead of ${id}`);
  if (frame.timestamp !== timestamp) return problem(`with a timestamp other than ${timestamp}`);
  if (frame.answer === undefined || challenge === undefined || proof === undefined) {
    return { isProven: false };
  }
  // Both have 43 characters.
  const isProven = timingSafeEqual(Buffer.from(frame.answer), Buffer.from(answerTo(challenge, proof)));
  return isProven
    ? { isProven }
    : problem("with another proof than the request's C2-Proof, so it did not ask");
}

async function readTextFrame(incoming: Incoming): Promise<{ text: string } | { problem: string }> {
  for (let controls = 0; controls <= CONTROL_FRAMES_MAX; controls++) {
    const header = await incoming.readExactly(2);
    if (header === undefined) return { problem: "the server closed the connection without an answer" };
    const [first = 0, second = 0] = header;
    const opcode = first & 0x0f;
    // 126 announces a 2-byte length and 127 an 8-byte one, which no valid answer needs.
    const length = (second & 0x7f) === 126 ? await incoming.readUint16() : second & 0x7f;
    if (length === undefined) return { problem: "the server closed the connection in the middle of a frame" };
    if (length > FRAME_BYTES_MAX || (second & 0x7f) === 127) {
      return { problem: `the server sent a frame of more than ${FRAME_BYTES_MAX} bytes` };
    }
    if ((first & FIN) === 0 || (first & 0x70) !== 0 || (second & MASKED) !== 0) {
      return { problem: "the server sent a WebSocket frame that is fragmented, extended or masked" };
    }
    const payload = await incoming.readExactly(length);
    if (payload === undefined) {
      return { problem: "the server closed the connection in the middle of a frame" };
    }
    if (opcode === OPCODE.text) return decodeUtf8(payload);
    if (opcode === OPCODE.close) return { problem: "the server closed the WebSocket without an answer" };
    if (opcode !== OPCODE.ping && opcode !== OPCODE.pong) {
      return { problem: "the server sent a frame that is not text" };
    }
  }
  return { problem: "the server sent control frames and no answer" };
}

function decodeUtf8(bytes: Uint8Array): { text: string } | { problem: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { problem: "the server sent a text frame that is not UTF-8" };
  }
}

/** A complete client frame of at most 125 bytes, masked, RFC 6455 §5.2. */
function maskedFrame(opcode: number, payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const mask = crypto.getRandomValues(new Uint8Array(4));
  const frame = new Uint8Array(6 + bytes.length);
  frame.set([FIN | opcode, MASKED | bytes.length, ...mask]);
  bytes.forEach((byte, i) => frame[6 + i] = byte ^ (mask[i % 4] ?? 0));
  return frame;
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Already closed, or handed over to TLS, which closes it.
  }
}

/** Buffers received bytes, never more than one head or one frame may have. Each byte is read once. */
class Incoming {
  readonly #conn: Deno.Conn;
  readonly #buffer = Buffer.alloc(HEAD_BYTES_MAX);
  /** The buffered bytes are from `#start` to `#end`. */
  #start = 0;
  #end = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get held(): number {
    return this.#end - this.#start;
  }

  /** The head of an HTTP answer without the blank line; undefined if it does not end within HEAD_BYTES_MAX. */
  async readHead(): Promise<string | undefined> {
    for (let seen = 0;;) {
      // The blank line may be split between two reads.
      const from = Math.max(0, seen - BLANK_LINE.length);
      const end = this.#buffer.subarray(0, this.#end).indexOf(BLANK_LINE, from);
      if (end >= 0) {
        this.#start = end + BLANK_LINE.length;
        return this.#buffer.toString("latin1", 0, end);
      }
      seen = this.#end;
      if (seen === HEAD_BYTES_MAX || !(await this.#fill(HEAD_BYTES_MAX))) return undefined;
    }
  }

  /** Exactly `count` bytes; undefined if the connection ends first. */
  async readExactly(count: number): Promise<Uint8Array | undefined> {
    while (this.held < count) if (!(await this.#fill(count))) return undefined;
    return Uint8Array.from(this.#buffer.subarray(this.#start, this.#start += count));
  }

  async readUint16(): Promise<number | undefined> {
    const bytes = await this.readExactly(2);
    return bytes && ((bytes[0] ?? 0) << 8) + (bytes[1] ?? 0);
  }

  /** Reads once, until at most `max` bytes are buffered; false at the end. */
  async #fill(max: number): Promise<boolean> {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = await this.#conn.read(this.#buffer.subarray(this.#end, max));
    if (count === null) return false;
    this.#end += count;
    return true;
  }
}
