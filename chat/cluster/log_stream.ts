/**
 * The stream of NATS that holds a room's log: its form, how the first node makes it, and what is said of one that
 * differs. log_nats.ts reads and writes it.
 *
 * @module
 */
import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { CannotStart } from "../../src/serving/start_failure.ts";
import type { LogSettings } from "./cluster_settings.ts";
import { MESSAGE_BYTES_MAX, NatsNotReady } from "./nats_connection.ts";

/** Milliseconds in which NATS knows a repeated append by its id. The sequence fences it after that. */
const DUPLICATES_MS = 120_000;
/** Bytes of the whole log; the oldest records go first. */
const LOG_BYTES_MAX = 8 * 2 ** 30;
const NS_PER_MS = 1_000_000;
/** Milliseconds for NATS to answer a question about the stream. */
const ANSWER_MS = 2000;

const STREAM_NOT_FOUND = 10059;
/** Another node has made the stream meanwhile, perhaps of another form. */
const NAME_IN_USE = 10058;
const SUBJECTS_OVERLAP = 10065;
const NOT_CLUSTERED = 10074;
const NO_JETSTREAM = [10039, 10076];
const NO_SUITABLE_PEERS = 10005;
/** The account may have no more: of streams, of storage. */
const OVER_LIMITS = [10002, 10023, 10026, 10027, 10028, 10047, 10120];

/** The stream's name is `CHATTER_<room>`. */
export function streamOf(room: string): string {
  return `CHATTER_${room}`;
}

export function subjectOf(room: string): string {
  return `chatter.${room}.log`;
}

/** Where NATS repeats each stored record. */
export function storedSubjectOf(room: string): string {
  return `${subjectOf(room)}.stored`;
}

export type StreamForm = Partial<StreamConfig> & { readonly name: string };

/** The settings without which the log would lose records, or would have others'. */
function requiredForm({ room }: LogSettings): StreamForm {
  return {
    name: streamOf(room),
    subjects: [subjectOf(room)],
    storage: "file",
    retention: "limits",
    discard: "old",
    max_msgs: -1,
    max_msgs_per_subject: -1,
    allow_direct: true,
    deny_delete: true,
    deny_purge: true,
    republish: { src: subjectOf(room), dest: storedSubjectOf(room) },
  };
}

/** The settings that an operator may choose otherwise. */
function chosenForm({ replicas, logHours }: LogSettings): Partial<StreamConfig> {
  return {
    num_replicas: replicas,
    duplicate_window: DUPLICATES_MS * NS_PER_MS,
    max_age: logHours * 3_600_000 * NS_PER_MS,
    max_bytes: LOG_BYTES_MAX,
    max_msg_size: MESSAGE_BYTES_MAX,
  };
}

export interface Difference {
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
}

/** What a found stream has otherwise: `refused` if it cannot be the room's log, `chosen` if the operator may choose it. */
export function differences(
  found: StreamConfig,
  settings: LogSettings,
): { readonly refused: readonly Difference[]; readonly chosen: readonly Difference[] } {
  const compare = (wanted: Partial<StreamConfig>) =>
    (Object.keys(wanted) as (keyof StreamConfig)[]).map((setting) => ({
      setting,
      found: JSON.stringify(found[setting]) ?? "not set",
      wanted: JSON.stringify(wanted[setting as keyof typeof wanted]) ?? "not set",
    })).filter(({ found, wanted }) => found !== wanted);
  const foreign = (["mirror", "sources", "subject_transform", "no_ack", "sealed"] as const).filter((name) =>
    found[name]
  ).map((setting) => ({ setting, found: JSON.stringify(found[setting]), wanted: "not set" }));
  return { refused: [...compare(requiredForm(settings)), ...foreign], chosen: compare(chosenForm(settings)) };
}

/**
 * The room's stream, made if there is none. `differs` receives settings that an operator may have changed. Throws
 * `NatsNotReady`, or `CannotStart` with one line if NATS cannot have it or has one of another form.
 */
export async function openStream(
  nats: NatsConnection,
  settings: LogSettings,
  differs: (settings: readonly Difference[]) => void = () => {},
): Promise<StreamConfig> {
  const manager = await managerOf(nats);
  const found = (await infoOfStream(manager, settings.room))?.config ?? await makeStream(manager, settings);
  const { refused, chosen } = differences(found, settings);
  if (refused.length === 0) {
    if (chosen.length > 0) differs(chosen);
    return found;
  }
  const list = refused.map(({ setting, found, wanted }) => `${setting} is ${found} and must be ${wanted}`);
  throw new CannotStart(
    `The stream ${found.name} in NATS is not a log of Chatter: ${
      list.join("; ")
    }. Give another --cluster-name, or ` +
      "delete the stream if nothing needs it",
  );
}

export function managerOf(nats: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(nats, { timeout: ANSWER_MS, checkAPI: false });
}

/** The room's stream; undefined if there is none. Throws as `openStream` does. */
export async function infoOfStream(
  manager: JetStreamManager,
  room: string,
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(streamOf(room));
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw failureOf(error, { room });
  }
}

async function makeStream(manager: JetStreamManager, settings: LogSettings): Promise<StreamConfig> {
  try {
    return (await manager.streams.add({ ...requiredForm(settings), ...chosenForm(settings) })).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === NAME_IN_USE) {
      throw new NatsNotReady("Another node makes the stream");
    }
    throw failureOf(error, settings);
  }
}

/** The failure as `CannotStart` or `NatsNotReady`; a bug as it is. */
function failureOf(
  error: unknown,
  { room, replicas }: Pick<LogSettings, "room"> & Partial<LogSettings>,
): unknown {
  const stream = streamOf(room);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof errors.PermissionViolationError) {
    const what = cause.operation === "publish" ? "publish" : "subscribe";
    return new CannotStart(
      `The user of NATS may not ${what} to ${cause.subject}: docs/cluster.md lists what a node needs`,
    );
  }
  if (error instanceof JetStreamApiError) {
    const { code, message } = error;
    if (code === SUBJECTS_OVERLAP) {
      return new CannotStart(
        `Another stream in NATS has the subject ${subjectOf(room)}, so that the stream ${stream} cannot: ` +
          "change the other one, or give another --cluster-name",
      );
    }
    if (code === NOT_CLUSTERED) {
      return new CannotStart(
        `NATS is one server alone, and --cluster-replicas asks for ${replicas}: run ${replicas} servers as a cluster ` +
          "of NATS; or --cluster-replicas 1 to try it, where the loss of that server's disk is the loss of the log",
      );
    }
    const noRoom =
      `NATS has no room for the stream ${stream} of ${LOG_BYTES_MAX / 2 ** 30} GiB (${message}): ` +
      "set max_file_store in its configuration, and the limits of the account, to more";
    if (code === NO_SUITABLE_PEERS) {
      return new NatsNotReady(
        message.includes("insufficient storage")
          ? noRoom
          : `NATS has fewer servers than --cluster-replicas ${replicas} that are up: ${message}`,
      );
    }
    if (NO_JETSTREAM.includes(code)) {
      return new CannotStart(
        `JetStream is off for this user's account in NATS (${message}): enable it there`,
      );
    }
    if (OVER_LIMITS.includes(code)) return new CannotStart(noRoom);
    // The others are of its cluster, such as that it has no leader now.
    return new NatsNotReady(`JetStream refuses the stream ${stream}: ${message}`);
  }
  if (error instanceof Error && isNoAnswer(error)) {
    return new NatsNotReady(
      "JetStream does not answer: most of the servers of NATS are down, or it is off for this user's account",
    );
  }
  return error;
}

function isNoAnswer(error: Error): boolean {
  return error instanceof errors.TimeoutError || error instanceof errors.RequestError ||
    error instanceof errors.NoRespondersError || error instanceof errors.ClosedConnectionError ||
    error.name === "JetStreamNotEnabled";
}
