/**
 * Hostile heads and frames from tests/vectors/hostile_inputs.json: each once made a reader work for long, or is a known
 * way to. A part is a text, or a text and how often it is repeated.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import vectors from "../vectors/hostile_inputs.json" with { type: "json" };
import { frame, RawPeer } from "./raw_peer.ts";

type Part = string | readonly [text: string, times: number];

export interface HostileInput {
  readonly what: string;
  /** Connects, up to where the input is to be written. */
  readonly connect: (url: string) => Promise<RawPeer>;
  readonly bytes: () => Uint8Array;
}

function textOf(parts: readonly Part[]): string {
  return parts.map((part) => typeof part === "string" ? part : part[0].repeat(part[1])).join("");
}

/** Requests; each character is a byte. */
export const HOSTILE_HEADS: readonly HostileInput[] = vectors.heads.map(({ what, bytes }) => ({
  what,
  connect: (url) => RawPeer.connect(url),
  bytes: () => Buffer.from(textOf(bytes as Part[]), "latin1"),
}));

/** Frames of a client that is in the room, unless they are `CONNECT`. */
export const HOSTILE_FRAMES: readonly HostileInput[] = vectors.frames.map(({ what, text, times = 1 }) => {
  const payload = () => textOf(text as Part[]);
  return {
    what,
    connect: async (url) => {
      const peer = await RawPeer.open(url);
      if (payload().startsWith("c2/CONNECT")) return peer;
      await peer.sendText(`c2/CONNECT x${Math.floor(Math.random() * 1e9)}`);
      return peer;
    },
    bytes: () => Buffer.concat(Array(times).fill(frame(new TextEncoder().encode(payload())))),
  };
});
