/**
 * Measures the round trips to chat servers by `c2/PING` over a WebSocket, PROTOCOL.md §6.4, a few at a time. It does
 * not trust the listing: the answer must come from the server with the listed id.
 *
 * @module
 */
import type { NowMs } from "../src/clock.ts";

/** Milliseconds for one ping including the connection, as in a listing, docs/listing_api.md §9.3. */
const PING_MS_MAX = 3000;
/** Pings at a time: on a home connection more would delay each other and falsify the result. */
const PINGS_AT_ONCE = 16;
/** Milliseconds for all pings, because a user waits for the table. */
const ALL_PINGS_MS_MAX = 60_000;

export interface PingTarget {
  /** A WebSocket URL; undefined if the address is invalid, which is not pinged. */
  readonly url: string | undefined;
  readonly id: number;
}

/** Milliseconds from PING to answer, rounded up; undefined without a valid answer in time. */
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
      // Not awaited: a server that never answers the close would keep the socket for long.
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

/** Pings all servers in order; `progress` receives the number that are done. */
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
