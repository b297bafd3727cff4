/**
 * People on a cluster: talkers and plain readers on all nodes, what they read, and how long acknowledgements take.
 *
 * @module
 */
import { type ClientAround, PlainReader, Talker } from "./cluster_client.ts";
import { type ClusterStage, until } from "./cluster_stage.ts";
import { ReadHistory } from "./read_history.ts";

/** Messages of one page of history. */
const PAGE = 200;

export interface LoadOptions {
  readonly talkers: number;
  readonly readers: number;
  /** Messages that a talker may have unanswered. */
  readonly window?: number;
  /** Messages a second of all; undefined to send without pause. */
  readonly rate?: number;
}

export class ClusterLoad {
  readonly history = new ReadHistory();
  readonly talkers: readonly Talker[];
  readonly readers: readonly PlainReader[];
  /** Milliseconds of each acknowledgement since `forget`. */
  latencies: number[] = [];
  /** The longest time without an acknowledgement since `forget`, in milliseconds. */
  #longestMs = 0;
  #lastMs = performance.now();
  readonly #stage: Pick<ClusterStage, "urls">;
  readonly #runs: Promise<void>[];
  readonly #pace: ReturnType<typeof setInterval> | undefined;
  #turn = 0;
  #isEnding = false;

  constructor(stage: Pick<ClusterStage, "urls">, { talkers, readers, window, rate }: LoadOptions) {
    this.#stage = stage;
    const around: ClientAround = {
      urls: stage.urls,
      history: this.history,
      onAcknowledged: (ms) => this.#acknowledged(ms),
    };
    this.talkers = Array.from({ length: talkers }, (_, i) => new Talker(`talker${i}`, i, around, window));
    this.readers = Array.from({ length: readers }, (_, i) => new PlainReader(`reader${i}`, i, around));
    this.#runs = [...this.talkers, ...this.readers].map((client) => client.run());
    if (rate === undefined) {
      for (const talker of this.talkers) for (let i = 0; i < (window ?? 1); i++) talker.say();
    } else {
      this.#pace = setInterval(() => this.talkers[this.#turn++ % this.talkers.length]?.say(), 1000 / rate);
    }
  }

  get longestMs(): number {
    return Math.max(this.#longestMs, performance.now() - this.#lastMs);
  }

  get resumes(): number {
    return this.talkers.reduce((sum, { resumes }) => sum + resumes, 0);
  }

  get refusals(): string[] {
    return this.talkers.flatMap(({ refusals }) => refusals);
  }

  /**
   * Spreads the talkers over the nodes again, since each fault gathers them on the nodes that were up. If all were on a
   * node that freezes, they would show nothing of the others.
   */
  async spread(): Promise<void> {
    const areIn = () => this.talkers.every(({ isIn }) => isIn);
    // Who leaves before the answer to CONNECT has no token, and the name is held against it.
    await until("every talker is in the room", areIn);
    for (const talker of this.talkers) talker.goHome();
    await until("every talker is back in the room", areIn);
  }

  forget(): void {
    this.latencies = [];
    this.#longestMs = 0;
    this.#lastMs = performance.now();
  }

  /** Waits for every acknowledgement, reads the history of each node, and judges. Returns the problems. */
  async conclude(): Promise<readonly string[]> {
    this.#isEnding = true;
    clearInterval(this.#pace);
    await until(
      "every message is acknowledged",
      () => this.talkers.every(({ unacknowledged }) => unacknowledged === 0),
    );
    // What was broadcast last is on its way to the others.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const [n, url] of this.#stage.urls.entries()) {
      // A connection may fail, as any client's: it is tried again.
      let messages: Awaited<ReturnType<typeof historyOf>> = [];
      await until(`the history of node ${n} is read`, async () => {
        messages = await historyOf(url);
        return true;
      });
      this.history.readHistory(`node ${n}`, messages);
    }
    for (const client of [...this.talkers, ...this.readers]) client.stop();
    await Promise.all(this.#runs);
    this.history.conclude();
    const { problems, moreProblems } = this.history;
    const refused = [...new Set(this.refusals)].slice(0, 5).map((frame) => `a session was refused: ${frame}`);
    return [...problems, ...moreProblems > 0 ? [`${moreProblems} more`] : [], ...refused];
  }

  #acknowledged(ms: number): void {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.latencies.push(ms);
    if (this.#pace === undefined && !this.#isEnding) this.talkers[this.#turn++ % this.talkers.length]?.say();
  }
}

/** The whole history of a node, oldest first. */
async function historyOf(url: string): Promise<{ id: string; text: string }[]> {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  const messages: { id: string; text: string }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isIn = false;
  const ask = () =>
    socket.send(`c2/QUERY history; ${PAGE}${messages.length === 0 ? "" : `; ${messages[0]!.id}`}`);
  socket.onopen = () => socket.send(`c2/CONNECT historian${Math.floor(Math.random() * 1e9)}`);
  socket.onerror = socket.onclose = () => reject(new Error(`${url} is gone`));
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    if (data.startsWith("c2/ERROR ")) return reject(new Error(data));
    if (!data.startsWith("c2/ACKNOWLEDGE ")) return;
    if (!isIn) {
      isIn = true;
      return ask();
    }
    const page: { uuid: string; message: string }[] = JSON.parse(data.slice("c2/ACKNOWLEDGE ".length));
    messages.unshift(...page.map(({ uuid, message }) => ({ id: uuid, text: message })));
    if (page.length < PAGE) resolve();
    else ask();
  };
  try {
    await promise;
  } finally {
    socket.close();
  }
  return messages;
}
