/**
 * A WebSocket peer over a plain TCP connection, for what no client library does: stay silent, stop reading, send broken
 * frames. It reads whole unfragmented frames of a well-behaved server only.
 *
 * @module
 */
import { writeAll } from "../../src/write_all.ts";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

export interface FrameShape {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** The length in the header, if it is not the payload's. */
  readonly declaredLength?: number;
}

export class RawPeer implements AsyncDisposable {
  /** True once a read has failed: the other end has cut the connection. */
  wasReset = false;
  readonly #connection: Deno.Conn;
  #unread = new Uint8Array(0);

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects and shakes hands. Throws with the head of the answer if it is refused. */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawPeer> {
    const peer = await RawPeer.connect(url);
    await peer.write(handshake(headers));
    const head = await peer.readHead();
    if (head.startsWith("HTTP/1.1 101 ")) return peer;
    peer.close();
    throw new Error(`No upgrade: ${head}`);
  }

  /** The head of the answer to a refused handshake. */
  static async refused(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    await using peer = await RawPeer.connect(url);
    await peer.write(handshake(headers));
    const head = await peer.readHead();
    if (head.startsWith("HTTP/1.1 101 ")) throw new Error("It was let in");
    return head;
  }

  /** Connects without a handshake; to https by TLS, with the certificates that tests trust. */
  static async connect(url: string): Promise<RawPeer> {
    const { protocol, hostname: bracketed, port: digits } = new URL(url);
    const [hostname, port] = [bracketed.replace(/^\[(.*)\]$/, "$1"), Number(digits)];
    if (protocol !== "https:") return new RawPeer(await Deno.connect({ hostname, port }));
    return new RawPeer(await Deno.connectTls({ hostname, port, caCerts: await testAuthorities() }));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#connection, bytes);
  }

  sendText(text: string): Promise<void> {
    return this.write(frame(encode(text)));
  }

  /** The answer's head up to the empty line. */
  async readHead(): Promise<string> {
    while (true) {
      const text = new TextDecoder().decode(this.#unread);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#unread = this.#unread.slice(end + 4);
        return text.slice(0, end);
      }
      if (!await this.#fill()) throw new Error(`The connection ended in the head: ${text}`);
    }
  }

  /** The body of the next answer, whose head has its length. */
  async readAnswer(): Promise<string> {
    const [, length = "0"] = /\r\ncontent-length: ([0-9]+)/i.exec(await this.readHead()) ?? [];
    return await this.readBody(Number(length));
  }

  /** The next `length` bytes as text. */
  async readBody(length: number): Promise<string> {
    return new TextDecoder().decode(await this.#take(length));
  }

  /** The next frame; undefined if the connection has ended. */
  async readFrame(): Promise<RawFrame | undefined> {
    const header = await this.#take(2);
    if (header === undefined) return undefined;
    let length = header[1]! & 0x7f;
    if (length >= 126) {
      const extended = await this.#take(length === 126 ? 2 : 8);
      if (extended === undefined) return undefined;
      const view = new DataView(extended.buffer);
      length = extended.length === 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
    }
    const payload = await this.#take(length);
    return payload === undefined ? undefined : { opcode: header[0]! & 0x0f, payload };
  }

  /** The text of the next text frame, skipping others; undefined if the connection has ended. */
  async readText(): Promise<string | undefined> {
    while (true) {
      const next = await this.readFrame();
      if (next === undefined) return undefined;
      if (next.opcode === OPCODE.text) return new TextDecoder().decode(next.payload);
    }
  }

  /** The code of the next close frame, skipping others; undefined if the connection has ended. */
  async readCloseCode(): Promise<number | undefined> {
    while (true) {
      const next = await this.readFrame();
      if (next === undefined) return undefined;
      if (next.opcode !== OPCODE.close) continue;
      return next.payload.length < 2 ? 1005 : (next.payload[0]! << 8) | next.payload[1]!;
    }
  }

  /** Reads to the end of the connection or a reset; returns the number of bytes. */
  async readToEnd(): Promise<number> {
    let bytes = this.#unread.length;
    this.#unread = new Uint8Array(0);
    while (await this.#fill()) {
      bytes += this.#unread.length;
      this.#unread = new Uint8Array(0);
    }
    return bytes;
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #take(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#unread.length < count) if (!await this.#fill()) return undefined;
    const taken = this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
    return taken;
  }

  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(65_536);
    let count: number | null;
    try {
      count = await this.#connection.read(chunk);
    } catch {
      this.wasReset = true;
      return false;
    }
    if (count === null) return false;
    const joined = new Uint8Array(this.#unread.length + count);
    joined.set(this.#unread);
    joined.set(chunk.subarray(0, count), this.#unread.length);
    this.#unread = joined;
    return true;
  }
}

/** The certificates of servers that tests start, in PEM. */
export async function testAuthorities(): Promise<string[]> {
  const files = ["localhost_cert.pem", "../listing/tls/authority.pem"];
  return await Promise.all(files.map((file) => Deno.readTextFile(`${import.meta.dirname}/${file}`)));
}

/** The bytes of a client's handshake. */
export function handshake(headers: Readonly<Record<string, string>> = {}): Uint8Array {
  const all = {
    Host: "x",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return encode(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`);
}

/** A frame's bytes; a well-formed masked text frame unless its shape says otherwise. */
export function frame(payload: Uint8Array, shape: FrameShape = {}): Uint8Array {
  const { opcode = OPCODE.text, fin = true, rsv = 0, masked = true } = shape;
  const declared = shape.declaredLength ?? payload.length;
  const extended = declared < 126 ? 0 : declared < 65_536 ? 2 : 8;
  const bytes = new Uint8Array(2 + extended + (masked ? 4 : 0) + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  bytes[1] = (masked ? 0x80 : 0) | (extended === 0 ? declared : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, declared);
  if (extended === 8) view.setBigUint64(2, BigInt(declared));
  // A mask of zeros leaves the payload unchanged, which the protocol allows.
  bytes.set(payload, bytes.length - payload.length);
  return bytes;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
