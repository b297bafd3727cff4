/**
 * How long a chat server takes to answer from here: one `c2/PING` over a WebSocket, PROTOCOL.md §6.4; and many of
 * them, a few at a time.
 *
 * It believes nothing that a listing says: what answers has to be the server that was meant.
 *
 * @module
 */
import type { NowMs } from "../src/clock.ts";

/** Milliseconds for one ping with everything that goes before it, as a listing has (PROTOCOL.md §9.3). */
const PING_MS_MAX = 3000;
/** Pings under way at once. More would wait for each other on a home's line, and be measured so. */
const PINGS_AT_ONCE = 16;
/** Milliseconds for all of them together: somebody waits for the table. */
const ALL_PINGS_MS_MAX = 60_000;

export interface PingTarget {
  /** A WebSocket URL; undefined for an address that is none, which is not pinged. */
  readonly url: string | undefined;
  readonly id: number;
}

/** Milliseconds from PING to answer, rounded up; undefined where nothing right came in time. */
export function pingServer(
  { url, id }: PingTarget,
  clock: NowMs,
  timeoutMs: number = PING_MS_MAX,
): Promise<number | undefined> {
  if (url === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const end = (answer: number | undefined) => {
      clearTimeout(timer);
      // A server that does not answer the close either would keep the socket for long; nobody waits for it.
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    let sentMs = 0;
    let mark = "";
    socket.onopen = () => {
      sentMs = clock();
      mark = String(Math.floor(sentMs));
      socket.send(`c2/PING ${mark}`);
    };
    socket.onmessage = ({ data }) => {
      end(data === `c2/PING ${mark}; ${id}` ? Math.max(1, Math.ceil(clock() - sentMs)) : undefined);
    };
    socket.onerror = () => end(undefined);
    socket.onclose = () => end(undefined);
  });
}

/** Pings all of them, in their order as far as one waits for another; `progress` hears how many are done. */
export async function pingServers(
  targets: readonly PingTarget[],
  clock: NowMs,
  progress: (done: number) => void,
): Promise<(number | undefined)[]> {
  const answers = new Array<number | undefined>(targets.length).fill(undefined);
  const endMs = clock() + ALL_PINGS_MS_MAX;
  const left = targets.entries();
  let done = 0;
  const work = async () => {
    for (const [i, target] of left) {
      const restMs = endMs - clock();
      if (restMs > 0) answers[i] = await pingServer(target, clock, Math.min(PING_MS_MAX, restMs));
      progress(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PINGS_AT_ONCE, targets.length) }, work));
  return answers;
}
