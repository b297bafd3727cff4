/**
 * The start of a node: finds the log, begins it if the cluster is new, and makes the store whole, from the log or from
 * another node. It serves no client yet.
 *
 * @module
 */
import type { NowMs } from "../../../src/clock.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import { CannotStart } from "../../../src/serving/start_failure.ts";
import type { Ban } from "../../room/bans.ts";
import { WINDOW_MESSAGES_MAX } from "../../room/history.ts";
import type { StoredMessage } from "../../room/message.ts";
import type { Journal } from "../../store/journal.ts";
import type { ClusterLog, LogEnds, LogEntry } from "../log.ts";
import { BEHIND_MS } from "../member.ts";
import {
  type ClusterRecord,
  decodeRecord,
  encodeRecord,
  FIRST_HASH,
  type Founded,
  UnreadableRecord,
} from "../record.ts";
import type { Checkpoint } from "../replica.ts";
import { retried } from "../retry.ts";
import type { ClusterWire } from "../wire.ts";
import { copyFrom } from "./copy.ts";
import { EARLIER_RECORDS } from "./recovery.ts";
import type { StoredReplica } from "./replica_store.ts";

/** Milliseconds between two tries of what the log or the other nodes do not answer. */
const RETRY_MS = 500;
/** Bytes of records that are read before a checkpoint: what cannot be replayed after that, another node replays. */
const EARLIER_BYTES_MAX = 64 * 2 ** 20;
/** Records of these that are read at a time. */
const EARLIER_READ = 100;
const OTHER_ROOM =
  "This store has the messages of another room than the cluster's: give another --kv, or another " +
  "--cluster-name";
const COPY_HELP = "start the node whose --kv has the room's newest messages; if that one waits too, " +
  "docs/cluster.md says how to refound the room from its store";

/** For an operator whose log ends before what a node has applied. */
export const SHORT_LOG_HELP =
  "if NATS lost records or was restored from a backup, docs/cluster.md says how to " +
  "refound the room from the newest store";

/** The store at a start: written to by this file only. */
export interface StartStore {
  load(): Promise<StoredReplica>;
  /** The store is that of a node from here on. */
  begin(checkpoint: Checkpoint): Promise<void>;
  beginCopy(): Promise<void>;
  endCopy(checkpoint: Checkpoint): Promise<void>;
  readonly messages: Pick<Journal, "page">;
  addMessages(messages: readonly StoredMessage[]): Promise<void>;
  bans(): Promise<Ban[]>;
  addBans(bans: readonly Ban[]): Promise<void>;
}

export interface StartParts {
  readonly log: ClusterLog;
  readonly wire: Pick<ClusterWire, "askForCopy">;
  readonly store: StartStore;
  /** What this node founds a new cluster with. */
  readonly identity: Pick<Founded, "serverId" | "secret">;
  readonly incarnation: string;
  readonly limits: Limits;
  readonly nowMs: NowMs;
  readonly steadyMs: NowMs;
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}

/** A store that is whole up to a record. */
export interface Restored {
  /** Undefined if the node applies the log from its first record. */
  readonly checkpoint: Checkpoint | undefined;
  /** The newest record that the store has wholly. */
  readonly stored: number;
  readonly founded: Founded;
  readonly newest: readonly StoredMessage[];
  readonly bans: readonly Ban[];
  /** The records before the checkpoint that the log still has, some thousands at most. */
  readonly earlier: readonly LogEntry[];
}

/**
 * Waits for the log, and for a node to copy from where it needs one. Throws `CannotStart` with one line, and the reason of
 * `stopping`.
 */
export async function restore(parts: StartParts): Promise<Restored> {
  const { store } = parts;
  const found = await store.load();
  if (found.kind === "used") {
    throw new CannotStart(
      "This store was used without --cluster since it was a node's, so that it is not the room's: give another --kv",
    );
  }
  if (found.kind === "unreadable") {
    throw new CannotStart(
      `${found.why}: start the release that wrote this --kv, or give another, which copies the room`,
    );
  }
  const ends = await foundedEnds(parts, found);
  const isInReach = found.kind === "checkpoint" && ends.first <= found.checkpoint.applied + 1;
  const checkpoint = isInReach ? found.checkpoint : await begin(parts, found, ends);
  const stored = isInReach ? found.applied : checkpoint?.applied ?? 0;
  const founded = checkpoint?.founded ?? await firstRecord(parts);
  const range = { limit: WINDOW_MESSAGES_MAX, before: undefined, receivedFrom: 0 };
  const [newest, bans] = await Promise.all([store.messages.page(range), store.bans()]);
  const earlier = checkpoint === undefined ? [] : await earlierRecords(parts, checkpoint);
  return { checkpoint, stored, founded, newest, bans, earlier };
}

/** The ends of a log that has begun, and has what the store has. */
async function foundedEnds(parts: StartParts, found: StoredReplica): Promise<LogEnds> {
  const { log, store, identity, incarnation, nowMs, steadyMs, logger } = parts;
  const atMs = nowMs();
  const stored = found.kind === "checkpoint" ? found.applied : 0;
  let behindSinceMs: number | undefined;
  const endsInReach = async () => {
    const ends = await log.ends();
    if (ends.last >= stored) return ends;
    const problem = `The log in NATS ends at record ${ends.last}, and this node has applied ${stored}`;
    behindSinceMs ??= steadyMs();
    if (steadyMs() - behindSinceMs < BEHIND_MS) throw new Error(`${problem}: ${SHORT_LOG_HELP}`);
    logger.error("cluster.log_forked", { problem });
    throw new CannotStart(`${problem}: ${SHORT_LOG_HELP}`);
  };
  for (;;) {
    const ends = await answered(endsInReach, parts);
    if (ends.last > 0) return ends;
    const isEmpty = !await hasHistory(store);
    const founded = { kind: "founded", founded: { ...identity, isEmpty } } as const;
    const bytes = encodeRecord({ ...founded, epoch: 0, previous: FIRST_HASH, atMs });
    await log.append(1, `${incarnation}.founded`, bytes);
  }
}

/** Makes a store that has nothing of the cluster's log, or too little, that of a node. */
async function begin(
  parts: StartParts,
  found: StoredReplica,
  { first }: LogEnds,
): Promise<Checkpoint | undefined> {
  const { store, identity } = parts;
  if (found.kind === "none") {
    const founded = first === 1 ? await firstRecord(parts) : undefined;
    const isOurs = founded?.secret === identity.secret;
    const isEmpty = !await hasHistory(store);
    if (isOurs || isEmpty && founded?.isEmpty === true) return undefined;
    if (!isEmpty) throw new CannotStart(OTHER_ROOM);
  }
  return await copied(parts, found.kind === "checkpoint" ? found.checkpoint.founded : undefined);
}

/** `own` is what the store's room was founded as. */
function copied(
  { wire, store, limits, logger, steadyMs, stopping }: StartParts,
  own: Founded | undefined,
): Promise<Checkpoint> {
  logger.info("cluster.copying", {});
  return retried(async () => {
    const checkpoint = await copyFrom({
      ask: (subject, request) => wire.askForCopy(subject, request),
      limits,
      begin: async ({ founded }, shorter) => {
        if (own !== undefined && founded?.secret !== own.secret) throw new CannotStart(OTHER_ROOM);
        if (shorter.length > 0) logger.warn("cluster.settings_differ", { settings: shorter });
        await store.beginCopy();
      },
      message: (page) => store.addMessages(page),
      ban: (page) => store.addBans(page),
    });
    await store.endCopy(checkpoint);
    logger.info("cluster.copied", { record: checkpoint.applied });
    return checkpoint;
  }, {
    ...{ pauseMs: RETRY_MS, steadyMs, stopping },
    mayPass: (error) => !(error instanceof CannotStart),
    say: (error) => logger.warn("cluster.copy_awaited", { problem: problemOf(error), help: COPY_HELP }),
  });
}

async function firstRecord(parts: StartParts): Promise<Founded> {
  const [first] = await answered(() => parts.log.read(1, 1), parts);
  const record = first?.number === 1 ? recordOf(first) : undefined;
  if (record?.kind === "founded") return record.founded;
  throw new CannotStart("The log in NATS does not begin as that of a room: give another --cluster-name");
}

function recordOf({ bytes }: LogEntry): ClusterRecord | undefined {
  try {
    return decodeRecord(bytes);
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  }
}

/** From the newest backwards, as far as the replay buffer reaches, or memory. */
async function earlierRecords(parts: StartParts, { applied }: Checkpoint): Promise<LogEntry[]> {
  let entries: LogEntry[] = [];
  let bytes = 0;
  for (let to = applied; to > 0 && entries.length < EARLIER_RECORDS && bytes < EARLIER_BYTES_MAX;) {
    const from = Math.max(1, to - EARLIER_READ + 1);
    const read = await recordsBetween(parts, from, to);
    entries = [...read, ...entries];
    bytes += read.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // The log no longer has what was before.
    if (read[0]?.number !== from) break;
    to = from - 1;
  }
  return entries;
}

async function recordsBetween(parts: StartParts, first: number, last: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let from = first; from <= last;) {
    const read = await answered(() => parts.log.read(from, last - from + 1), parts);
    const known = read.filter(({ number }) => number <= last);
    if (known.length === 0) break;
    entries.push(...known);
    from = known.at(-1)!.number + 1;
  }
  return entries;
}

async function hasHistory({ messages, bans }: StartStore): Promise<boolean> {
  const [newest] = await messages.page({ limit: 1, before: undefined, receivedFrom: 0 });
  return newest !== undefined || (await bans()).length > 0;
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function answered<Answer>(
  ask: () => Promise<Answer>,
  { logger, steadyMs, stopping }: StartParts,
): Promise<Answer> {
  return retried(ask, {
    ...{ pauseMs: RETRY_MS, steadyMs, stopping },
    mayPass: (error) => !(error instanceof CannotStart),
    say: (error) => logger.warn("nats.awaited", { problem: problemOf(error) }),
  });
}
