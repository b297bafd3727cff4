/**
 * The bytes of a long list, in parts that are kept from one making of it to the next: where one server has changed,
 * one part is written and compressed anew, and the others are copied.
 *
 * Where a part ends follows from the ids in it, so that a server that comes or goes moves no other part. It does not
 * know in which order servers are listed, nor when the list is made.
 *
 * @module
 */
import type * as zlib from "node:zlib";
import { Representation } from "./representation.ts";

/** Servers of a part on average, and at most: some 40 KB, which compress in a millisecond and nearly as well as all. */
const PART_SERVERS = 256;
export const PART_SERVERS_MAX = 1024;

/** The first part and the last have more than servers. */
const HEAD = '{"servers":[';
const TAIL = "]}";

/** A server in its order, as JSON. */
export interface ListedJson {
  readonly id: number;
  readonly json: string;
}

interface Part {
  readonly servers: readonly string[];
  readonly isFirst: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  deflated: Uint8Array<ArrayBuffer> | undefined;
}

export class ListParts {
  // By the id of its first server.
  #parts = new Map<number, Part>();

  /** How many parts are kept. */
  get size(): number {
    return this.#parts.size;
  }

  /** The list of these servers; its parts take the place of those of the list before. */
  async make(servers: Iterable<ListedJson>): Promise<Representation> {
    const parts = new Map<number, Part>();
    let [first, group]: [number, string[]] = [0, []];
    const end = () => {
      if (group.length === 0) return;
      parts.set(first, this.#part(first, group, parts.size === 0));
      group = [];
    };
    for (const { id, json } of servers) {
      if (group.length === 0) first = id;
      group.push(json);
      if (isLastOfPart(id) || group.length >= PART_SERVERS_MAX) end();
    }
    end();
    this.#parts = parts;
    const inOrder = [...parts.values()];
    const bytes = joined([encode(HEAD), ...inOrder.map(({ bytes }) => bytes), encode(TAIL)]);
    return await Representation.of(bytes, () => gzip(bytes, inOrder));
  }

  #part(first: number, servers: readonly string[], isFirst: boolean): Part {
    const kept = this.#parts.get(first);
    if (
      kept?.isFirst === isFirst && kept.servers.length === servers.length &&
      servers.every((json, at) => kept.servers[at] === json)
    ) return kept;
    return { servers, isFirst, bytes: encode((isFirst ? "" : ",") + servers.join(",")), deflated: undefined };
  }
}

/** Whether a part ends with this id: one in `PART_SERVERS`, wherever they lie. */
function isLastOfPart(id: number): boolean {
  // Ids are at most 2^53: both halves count.
  const mixed = Math.imul(id ^ Math.floor(id / 2 ** 32), 0x9e3779b1);
  return (mixed >>> 16) % PART_SERVERS === 0;
}

/** RFC 1952: no name, no time, no system. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
/** RFC 1951: a last block with nothing in it. */
const DEFLATE_END = Uint8Array.of(3, 0);

/** One member of gzip: each part is blocks of its own that end at a byte and are not the last. */
async function gzip(
  bytes: Uint8Array<ArrayBuffer>,
  parts: readonly Part[],
): Promise<Uint8Array<ArrayBuffer>> {
  // Loaded when somebody takes gzip.
  const { constants, crc32, deflateRawSync }: typeof zlib = await import("node:zlib");
  const deflate = (bytes: Uint8Array) =>
    new Uint8Array(deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }));
  const trailer = new Uint8Array(8);
  new DataView(trailer.buffer).setUint32(0, crc32(bytes), true);
  new DataView(trailer.buffer).setUint32(4, bytes.length, true);
  const deflated = parts.map((part) => part.deflated ??= deflate(part.bytes));
  return joined([GZIP_HEAD, deflate(encode(HEAD)), ...deflated, deflate(encode(TAIL)), DEFLATE_END, trailer]);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  // A copy, only because the types of Deno 2.4 take what an encoder gives for possibly shared memory.
  return new Uint8Array(new TextEncoder().encode(text));
}
