/**
 * Round trips from this browser to the servers that are shown, by `c2/PING` over a WebSocket, PROTOCOL.md §6.4: a few
 * at a time, each server once. The listing's policy allows it only on a page that was asked for it.
 *
 * @module
 */
/// <reference lib="dom" />
import { webAddress } from "./wording.ts";

/** Milliseconds for one ping including the connection, as in a listing. */
const PING_MS_MAX = 3000;
/** Pings at a time: more would delay each other and falsify the result. */
const PINGS_AT_ONCE = 6;

export interface Target {
  readonly id: number;
  readonly address: string;
}

export class PingsFromHere {
  readonly #onTrip: (id: number) => void;
  /** The outcome in words, undefined while it is not known, by server. */
  readonly #trips = new Map<number, { readonly address: string; outcome: string | undefined }>();
  #waiting: readonly Target[] = [];
  #underWay = 0;

  constructor(onTrip: (id: number) => void) {
    this.#onTrip = onTrip;
  }

  of(id: number): string | undefined {
    return this.#trips.get(id)?.outcome;
  }

  /** Pings those of these servers that were not pinged. The ones that waited and are not among them are left. */
  want(targets: readonly Target[]): void {
    this.#waiting = targets.filter(({ id, address }) => this.#trips.get(id)?.address !== address);
    while (this.#underWay < PINGS_AT_ONCE && this.#waiting.length > 0) this.#next();
  }

  async #next(): Promise<void> {
    const [target, ...others] = this.#waiting;
    this.#waiting = others;
    if (target === undefined) return;
    const { id, address } = target;
    this.#trips.set(id, { address, outcome: undefined });
    this.#underWay++;
    this.#trips.set(id, { address, outcome: await ping(target) });
    this.#underWay--;
    this.#onTrip(id);
    this.#next();
  }
}

const SILENT = "no answer";

/** The milliseconds from PING to the answer of the server with this id, or why there are none. */
function ping({ id, address }: Target): Promise<string> {
  const url = webAddress(address)?.replace(/^http/, "ws");
  if (url === undefined) return Promise.resolve(SILENT);
  // A page that came by HTTPS may not connect without TLS.
  if (location.protocol === "https:" && url.startsWith("ws:")) return Promise.resolve("not by HTTPS");
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const end = (outcome: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => end(SILENT), PING_MS_MAX);
    let sentMs = 0;
    const mark = String(Date.now());
    socket.onopen = () => {
      sentMs = performance.now();
      socket.send(`c2/PING ${mark}`);
    };
    socket.onmessage = ({ data }) => {
      const tripMs = Math.max(1, Math.ceil(performance.now() - sentMs));
      end(data === `c2/PING ${mark}; ${id}` ? `${tripMs} ms here` : "another server");
    };
    socket.onerror = socket.onclose = () => end(SILENT);
  });
}
