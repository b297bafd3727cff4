/**
 * What a peer can send over TCP to fill a server's memory. The caller measures the effect.
 *
 * @module
 */
import { frame, OPCODE, type RawPeer } from "./raw_peer.ts";

const CHUNK = new Uint8Array(65_536).fill(0x78);

/** Writes `bytes` repeatedly up to `total`; returns how many were written before the connection was cut. */
async function pour(peer: RawPeer, bytes: Uint8Array, total: number): Promise<number> {
  let poured = 0;
  try {
    for (; poured < total; poured += bytes.length) await peer.write(bytes);
  } catch {
    // Cut, as it should be.
  }
  return poured;
}

export const MEMORY_ATTACKS: { what: string; attack: (peer: RawPeer) => Promise<number> }[] = [
  {
    what: "300 MB of fragments",
    attack: async (peer) => {
      await peer.write(frame(CHUNK, { fin: false }));
      return pour(peer, frame(CHUNK, { fin: false, opcode: OPCODE.continuation }), 300_000_000);
    },
  },
  {
    what: "one frame of 300 MB",
    attack: async (peer) => {
      await peer.write(frame(CHUNK, { declaredLength: 300_000_000 }));
      return pour(peer, CHUNK, 300_000_000);
    },
  },
  {
    what: "300 MB of empty fragments and pings",
    attack: async (peer) => {
      await peer.write(frame(new Uint8Array(0), { fin: false }));
      const both = [
        ...frame(new Uint8Array(0), { fin: false, opcode: OPCODE.continuation }),
        ...frame(new Uint8Array(125), { opcode: OPCODE.ping }),
      ];
      // Never reads the pongs, so they pile up.
      return pour(peer, new Uint8Array(Array(500).fill(both).flat()), 300_000_000);
    },
  },
];
