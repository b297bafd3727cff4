/**
 * The threads of a chat server: which client is on which, so that a test can have clients on each. The system chooses a
 * connection's thread; a client on the wrong one is closed and another opened.
 *
 * @module
 */
import { GatewayPool, type GatewayPoolOptions } from "../../chat/gateway/threads/thread_pool.ts";
import type { ThreadLink } from "../../chat/gateway/threads/link.ts";
import { replaced } from "./broken.ts";
import { ChatClient } from "./chat_client.ts";
import { RawPeer } from "./raw_peer.ts";

/** Tries to get a certain thread: that all of them get the other of two happens once in a million. */
const TRIES_MAX = 20;

export class Threads implements Disposable {
  #links: ReadonlySet<ThreadLink> = new Set();
  readonly #watching: Disposable;

  /** Watches the next server that starts in this process. */
  constructor() {
    this.#watching = replaced(
      GatewayPool,
      "open",
      (original) => (options: GatewayPoolOptions) => {
        this.#links = options.links;
        return original.call(GatewayPool, options);
      },
    );
  }

  /** Sockets of each thread, in order of their starts. */
  get sockets(): number[] {
    return Array.from(this.#links, ({ sessions }) => Array.from(sessions).length);
  }

  /** A client on the `index`th thread, without CONNECT. */
  open(url: string, index: number, isLive = false): Promise<ChatClient> {
    return this.#openOn(index, async () => {
      const client = await ChatClient.open(url, isLive);
      // Its thread has reported the socket once that is answered.
      await client.drain();
      return client;
    });
  }

  /** The same as a raw peer. */
  openRaw(url: string, index: number): Promise<RawPeer> {
    return this.#openOn(index, async () => {
      const peer = await RawPeer.open(url);
      await peer.sendText("c2/PING 1");
      await peer.readText();
      return peer;
    });
  }

  /** A client on the `index`th thread, in the room as `name`. */
  async connect(url: string, index: number, name: string): Promise<ChatClient> {
    const client = await this.open(url, index);
    const answer = await client.ask(`c2/CONNECT ${name}`);
    if (!answer.startsWith("c2/ACKNOWLEDGE ")) throw new Error(`${name} was not let in: ${answer}`);
    return client;
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
  }

  async #openOn<Client extends AsyncDisposable>(index: number, open: () => Promise<Client>): Promise<Client> {
    const strangers: Client[] = [];
    try {
      while (strangers.length < TRIES_MAX) {
        const before = this.sockets[index]!;
        const client = await open();
        if (this.sockets[index]! > before) return client;
        strangers.push(client);
      }
      throw new Error(`no connection came to thread ${index}`);
    } finally {
      for (const stranger of strangers) await stranger[Symbol.asyncDispose]();
    }
  }
}
