/**
 * A client that behaves well beside others that do not: how long it waits for an answer.
 *
 * @module
 */
import { RawPeer } from "./raw_peer.ts";

export interface Probe extends AsyncDisposable {
  /** Asks once. Returns the milliseconds to the answer. */
  wait(): Promise<number>;
}

/** Sends PING to a chat server. */
export async function pingProbe(url: string): Promise<Probe> {
  const peer = await RawPeer.open(url);
  await peer.sendText("c2/CONNECT alice");
  await readText(peer);
  let mark = 0;
  return {
    async wait() {
      const startMs = performance.now();
      await peer.sendText(`c2/PING ${++mark}`);
      while (!(await readText(peer)).startsWith(`c2/PING ${mark};`));
      return performance.now() - startMs;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** Sends `GET /healthz` over one connection. */
export async function healthProbe(url: string): Promise<Probe> {
  const peer = await RawPeer.connect(url);
  return {
    async wait() {
      const startMs = performance.now();
      await peer.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      await peer.readAnswer();
      return performance.now() - startMs;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function readText(peer: RawPeer): Promise<string> {
  const text = await peer.readText();
  if (text === undefined) throw new Error("The connection of the client that behaves well was cut");
  return text;
}
