/**
 * Fuzzes a port with bytes: broken handshakes and HTTP requests, random bytes, and WebSocket frames that break RFC
 * 6455. If the server must cut a connection, the fuzzer waits for it.
 *
 * @module
 */
import { HOSTILE_HEADS } from "../support/hostile_inputs.ts";
import { frame, OPCODE, RawPeer } from "../support/raw_peer.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { writeAll } from "../../src/write_all.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** Bytes over one upgraded connection, and whether the server must end it. */
function afterUpgrade(random: Random): { bytes: Uint8Array; hasToEnd: boolean } {
  const payload = random.bytes(random.below(120));
  switch (random.below(7)) {
    case 0:
      return { bytes: random.bytes(1 + random.below(400)), hasToEnd: false };
    case 1:
      return {
        bytes: frame(payload, { opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }),
        hasToEnd: true,
      };
    case 2:
      return { bytes: frame(payload, { rsv: 1 + random.below(7) }), hasToEnd: true };
    case 3:
      return { bytes: frame(payload, { declaredLength: 2 ** (20 + random.below(33)) }), hasToEnd: false };
    case 4:
      return {
        bytes: frame(random.bytes(126), { opcode: OPCODE.ping }),
        hasToEnd: true,
      };
    case 5:
      // Also against the RFC, without consequence: the platform's transport takes it for a pong.
      return { bytes: frame(random.bytes(126), { opcode: OPCODE.pong }), hasToEnd: false };
    default:
      // Text that is not UTF-8.
      return { bytes: frame(Uint8Array.from([0xc3, 0x28, ...payload])), hasToEnd: true };
  }
}

/** One connection that is upgraded and then broken. */
export async function fuzzUpgraded(url: string, random: Random, tally: Tally): Promise<void> {
  await using peer = await RawPeer.open(url);
  const { bytes, hasToEnd } = afterUpgrade(random);
  await peer.write(bytes).catch(() => {});
  if (!hasToEnd) return tally.count("raw frames left");
  const timer = setTimeout(() => {
    tally.problem("a broken frame did not end the connection", bytes);
    peer.close();
  }, PATIENCE_MS);
  while (await peer.readFrame() !== undefined);
  clearTimeout(timer);
  tally.count("raw frames cut");
}

/** A head with some bytes changed, a hostile one, or random bytes only. */
export function brokenHead(random: Random, head: string = HEAD): Uint8Array {
  if (random.below(10) === 0) return random.bytes(1 + random.below(300));
  if (random.below(10) === 0) return random.pick(HOSTILE_HEADS).bytes();
  const bytes = new TextEncoder().encode(head);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    bytes[random.below(bytes.length)] = random.below(3) === 0
      ? random.pick([0, 10, 13, 32, 58])
      : random.below(256);
  }
  return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/**
 * One connection with an invalid request. The answer, if any, is no failure of the server; without one the server has
 * to hang up once nothing more comes.
 */
export async function fuzzHead(url: string, bytes: Uint8Array, tally: Tally): Promise<void> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const timer = setTimeout(() => {
    tally.problem("no answer and no end came to a broken request", bytes);
    connection.close();
  }, PATIENCE_MS);
  let answer = "";
  try {
    await writeAll(connection, bytes);
    await connection.closeWrite();
    const chunk = new Uint8Array(1024);
    for (let count: number | null; (count = await connection.read(chunk)) !== null && answer.length < 4096;) {
      answer += new TextDecoder().decode(chunk.subarray(0, count));
      // Upgraded, or ended only by a body: it has been answered.
      if (answer.startsWith("HTTP/1.1 101 ") || answer.includes("\r\n\r\n")) break;
    }
  } catch {
    // It was cut.
  } finally {
    clearTimeout(timer);
    try {
      connection.close();
    } catch {
      // The timer closed it.
    }
  }
  const status = Number(/^HTTP\/1\.[01] ([0-9]{3})/.exec(answer)?.[1] ?? 0);
  tally.count(status === 0 ? "raw requests cut" : `raw requests answered ${status}`);
  if (status >= 500) tally.problem(`a broken request was answered ${status}`, bytes);
}
