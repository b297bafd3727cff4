/**
 * Hostile heads and frames from tests/vectors/hostile_inputs.json: each once made a reader work for long, or is a known
 * way to; and hostile texts for properties. A part is a text, or a text and how often it is repeated.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import vectors from "../vectors/hostile_inputs.json" with { type: "json" };
import { frame, RawPeer } from "./raw_peer.ts";

type Part = string | readonly [text: string, times: number];

/** What is repeated in a hostile text, each a known way to make a reader work. */
export const PIECES: readonly string[] = [
  ...'a0 .:;,/\\"()[]<%=-\t\n\x1b\x07\u00a0\u0301\u200d😀語',
  ...[
    "a ",
    "a,",
    "\r\n",
    "http://a",
    "/*",
    "%41",
    "&a=",
    "a:",
    "1.",
    '"a":1,',
    "[1,",
    ");",
    "\x1b]",
    "\x1b[",
  ],
  // Two divisions into emoji, marks that have to be put in order, also once NFKC makes them, a flag, a long expansion.
  ...["👋🏻", "\u0323\u0301", "\u0301\uff9e", "🇩🇪", "👩\u200d", "\ufdfa"],
];

/** A piece, repeated up to `lengthMax` characters in all, with something before and after it. */
export function hostileText(lengthMax: number): fc.Arbitrary<string> {
  const end = fc.constantFrom("", "a", "!", " b", "\x01");
  return fc.tuple(end, fc.constantFrom(...PIECES), fc.nat(lengthMax), end).map((
    [before, piece, length, after],
  ) => before + piece.repeat(length / piece.length) + after);
}

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
