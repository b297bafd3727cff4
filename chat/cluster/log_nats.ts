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
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { LogSettings } from "./cluster_settings.ts";
import { type Appended, type ClusterLog, type LogEnds, type LogEntry, READ_BYTES_MAX } from "./log.ts";
import { type Difference, openStream, storedSubjectOf, streamOf, subjectOf } from "./log_stream.ts";
import { MESSAGE_BYTES_MAX } from "./nats_connection.ts";

/** Milliseconds until the outcome of an append or a read is unknown. */
const REQUEST_MS = 700;
/** Bytes of one record; the rest of a message is for headers. */
export const RECORD_BYTES_MAX = MESSAGE_BYTES_MAX - 4096;
/** The codes with which NATS says that another record has the sequence. */
const PASSED = [10071, 10164, 10070];
/** The codes with which it refuses a record before storing it: it lacks space, or the record is too large. */
const REFUSED = [10047, 10023, 10054];

export class NatsLog implements ClusterLog {
  readonly #nats: NatsConnection;
  readonly #stream: string;
  readonly #subject: string;
  readonly #room: string;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;

  private constructor(nats: NatsConnection, room: string, manager: JetStreamManager) {
    this.#nats = nats;
    this.#stream = streamOf(room);
    this.#subject = subjectOf(room);
    this.#room = room;
    this.#manager = manager;
    this.#client = jetstream(nats, { timeout: REQUEST_MS });
  }

  /** Opens the room's stream, and makes it if there is none. Throws as `openStream` does. */
  static async open(
    nats: NatsConnection,
    settings: LogSettings,
    differs?: (settings: readonly Difference[]) => void,
  ): Promise<NatsLog> {
    await openStream(nats, settings, differs);
    const reading = await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false });
    return new NatsLog(nats, settings.room, reading);
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
      const batch = await this.#manager.direct.getBatch(this.#stream, {
        ...{ seq: from, batch: max },
        max_bytes: READ_BYTES_MAX,
      });
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

  async ends(): Promise<LogEnds> {
    const { state } = await this.#manager.streams.info(this.#stream);
    return { first: state.first_seq, last: state.last_seq };
  }

  follow(on: (entry: LogEntry) => void): () => void {
    const subscription = this.#nats.subscribe(storedSubjectOf(this.#room), {
      callback: (error, message) => {
        const number = Number(message?.headers?.get("Nats-Sequence"));
        if (error === null && number > 0) on({ number, bytes: message.data });
      },
    });
    return () => subscription.unsubscribe();
  }
}

/** NATS answers a read past the newest record with 404. */
function isAtEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 404;
}
