/**
 * The cluster's log as a stream of NATS JetStream. `Nats-Expected-Last-Sequence` is the fence; a message id makes a
 * repeated append the same one. An outcome that NATS does not say is unknown, and never guessed.
 *
 * @module
 */
import {
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Appended, ClusterLog, LogEntry } from "./log.ts";

/** Milliseconds until the outcome of an append or a read is unknown. */
export const REQUEST_MS = 700;
/** Milliseconds in which NATS knows a repeated append by its id. The sequence fences it after that. */
const DUPLICATES_MS = 120_000;
/** Bytes of a message that NATS takes by default, and of one record: the rest is for headers. */
const MESSAGE_BYTES_MAX = 1_048_576;
export const RECORD_BYTES_MAX = MESSAGE_BYTES_MAX - 4096;
/** Bytes of the whole log; the oldest records go first. */
const LOG_BYTES_MAX = 8 * 2 ** 30;

const NS_PER_MS = 1_000_000;

const STREAM_NOT_FOUND = 10059;
/** The codes with which NATS says that another record has the sequence. */
const PASSED = [10071, 10164, 10070];
/** The codes with which it refuses a record before storing it: it lacks space, or the record is too large. */
const REFUSED = [10047, 10023, 10054];

export interface NatsLogOptions {
  /** `--cluster-name`. */
  readonly room: string;
  /** Servers that keep each record: 3, or 1 for tests. */
  readonly replicas: number;
  /** How long records are kept. */
  readonly hours: number;
}

export class NatsLog implements ClusterLog {
  readonly #nats: NatsConnection;
  readonly #stream: string;
  readonly #subject: string;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;

  private constructor(nats: NatsConnection, room: string, manager: JetStreamManager) {
    this.#nats = nats;
    this.#stream = streamOf(room);
    this.#subject = subjectOf(room);
    this.#manager = manager;
    this.#client = jetstream(nats, { timeout: REQUEST_MS });
  }

  /** Opens the room's stream, and makes it if there is none. Throws one line if a stream of that name is of another form. */
  static async open(nats: NatsConnection, options: NatsLogOptions): Promise<NatsLog> {
    const manager = await jetstreamManager(nats, { timeout: 5000, checkAPI: false });
    const wanted = configOf(options);
    const name = wanted.name!;
    const found = await manager.streams.info(name).catch((error) => {
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    });
    if (found === undefined) await manager.streams.add(wanted);
    else {
      const other = differences(found.config, wanted);
      if (other.length > 0) {
        throw new Error(
          `The stream ${name} is not one of Chatter: ${other.join(", ")} differ from what it needs`,
        );
      }
    }
    const reading = await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false });
    return new NatsLog(nats, options.room, reading);
  }

  async append(at: number, id: string, bytes: Uint8Array): Promise<Appended> {
    if (bytes.length > RECORD_BYTES_MAX) {
      return { kind: "refused", problem: `A record of ${bytes.length} bytes` };
    }
    const expect = { lastSequence: at - 1, streamName: this.#stream };
    try {
      const { seq } = await this.#client.publish(this.#subject, bytes, { msgID: id, expect, retries: 1 });
      return seq === at ? { kind: "stored" } : { kind: "passed" };
    } catch (error) {
      const code = error instanceof JetStreamApiError ? error.code : undefined;
      if (code !== undefined && PASSED.includes(code)) return { kind: "passed" };
      if (code !== undefined && REFUSED.includes(code)) return { kind: "refused", problem: String(error) };
      return { kind: "unknown" };
    }
  }

  async read(from: number, max: number): Promise<readonly LogEntry[]> {
    const entries: LogEntry[] = [];
    try {
      const batch = await this.#manager.direct.getBatch(this.#stream, { seq: from, batch: max });
      // The client itself waits for 5 s.
      const waits = () => setTimeout(() => batch.stop(new Error("NATS does not answer")), REQUEST_MS);
      let timer = waits();
      try {
        for await (const { seq, data } of batch) {
          clearTimeout(timer);
          entries.push({ number: seq, bytes: data });
          timer = waits();
        }
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      if (!isAtEnd(error)) throw error;
    }
    return entries;
  }

  follow(on: (entry: LogEntry) => void): void {
    this.#nats.subscribe(`${this.#subject}.stored`, {
      callback: (error, message) => {
        const number = Number(message?.headers?.get("Nats-Sequence"));
        if (error === null && number > 0) on({ number, bytes: message.data });
      },
    });
  }
}

/** NATS answers a read past the newest record with 404. */
function isAtEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 404;
}

/** The stream's name is `CHATTER_<room>`. */
export function streamOf(room: string): string {
  return `CHATTER_${room}`;
}

function subjectOf(room: string): string {
  return `chatter.${room}.log`;
}

function configOf({ room, replicas, hours }: NatsLogOptions): Partial<StreamConfig> & { name: string } {
  const subject = subjectOf(room);
  return {
    ...{ name: streamOf(room), subjects: [subject], storage: "file", num_replicas: replicas },
    ...{ retention: "limits", discard: "old", allow_direct: true, deny_delete: true, deny_purge: true },
    republish: { src: subject, dest: `${subject}.stored` },
    duplicate_window: DUPLICATES_MS * NS_PER_MS,
    max_age: hours * 3_600_000 * NS_PER_MS,
    max_bytes: LOG_BYTES_MAX,
    max_msg_size: MESSAGE_BYTES_MAX,
  };
}

/** The settings that the order depends on and that a found stream has otherwise. */
function differences(found: StreamConfig, wanted: Partial<StreamConfig>): string[] {
  const names = [
    ...([
      "subjects",
      "storage",
      "retention",
      "discard",
      "deny_delete",
      "deny_purge",
      "allow_direct",
    ] as const),
    "republish" as const,
  ];
  return names.filter((name) => JSON.stringify(found[name]) !== JSON.stringify(wanted[name]));
}
