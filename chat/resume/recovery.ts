/**
 * Recovery at a start: restores the history window, the replay buffer and the held sessions of earlier runs,
 * PROTOCOL.md §12.3. Which store it reads is mod.ts's choice.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Limits } from "../../src/protocol/limits.ts";
import { parseUsername } from "../../src/protocol/names.ts";
import { REPLAY_BUFFER_MAX, ReplayBuffer, RESERVED_POSITIONS } from "../room/replay_buffer.ts";
import { type NewestMessages, WINDOW_MESSAGES_MAX } from "../room/history.ts";
import type { HeldSessions } from "./held_sessions.ts";
import type { Journal, RecoveredBroadcasts } from "../store/journal.ts";
import type { StoredMessage } from "../room/message.ts";
import type { ResumeTokens } from "./resume_tokens.ts";
import type { RoomState } from "../room/room_state.ts";
import type { Room } from "../room/room.ts";
import type { StoredSession } from "../store/session_store.ts";

/** The part of an outbox that a replay may fill. The rest is for broadcasts during the replay. */
const REPLAY_SHARE = 0.5;
/** The least size of a MSG frame beside its text. */
const FRAME_BYTES = 64;

/** Bytes that may be replayed to one session. */
export function replayBytesMax({ maxOutboxBytes }: Limits): number {
  return REPLAY_SHARE * maxOutboxBytes;
}

export async function newestOf(
  journal: Pick<Journal, "page">,
  { historyCount }: Limits,
): Promise<NewestMessages> {
  const newest = await journal.page({ limit: WINDOW_MESSAGES_MAX, before: undefined, receivedFrom: 0 });
  return { kept: historyCount, newest, isWhole: newest.length < WINDOW_MESSAGES_MAX };
}

const RESERVED = ["reserved_positions"];

/** Reserves positions for this run and returns the first. No other run has used one of them. */
export async function reservePositions(kv: Deno.Kv): Promise<number> {
  const { value } = await kv.get<number>(RESERVED);
  const from = value ?? 0;
  await extendPositions(kv, from + RESERVED_POSITIONS);
  return from;
}

/** Reserves positions up to `upTo`, exclusive. */
export async function extendPositions(kv: Deno.Kv, upTo: number): Promise<void> {
  await kv.set(RESERVED, upTo);
}

/** Returns a predicate to call with each text: true once the texts fill a replay buffer. */
export function enoughFor({ maxOutboxBytes }: Limits): (text: string) => boolean {
  let bytes = 0;
  let count = 0;
  return (text) => {
    bytes += text.length + FRAME_BYTES;
    return ++count > REPLAY_BUFFER_MAX || bytes > REPLAY_SHARE * maxOutboxBytes;
  };
}

export function recoverReplayBuffer(
  { broadcasts, from }: RecoveredBroadcasts,
  limits: Limits,
  positions: { readonly reservedFrom: number; readonly reserve: (upTo: number) => void },
): ReplayBuffer {
  return new ReplayBuffer({
    ...positions,
    replayBytesMax: () => replayBytesMax(limits),
    earlier: broadcasts.map(({ position, ...message }) => ({
      position,
      broadcast: { bytes: Buffer.byteLength(message.text) + FRAME_BYTES, content: message },
    })),
    earlierFrom: from,
  });
}

/** Holds the stored sessions, and removes from the store those that cannot be held. */
export async function recoverSessions(
  stored: readonly StoredSession[],
  named: readonly StoredMessage[],
  { room, state, tokens, held, resumeWindow, steadyMs }: {
    readonly room: Room;
    readonly state: RoomState;
    readonly tokens: ResumeTokens;
    readonly held: HeldSessions;
    readonly resumeWindow: number;
    readonly steadyMs: () => number;
  },
): Promise<void> {
  const restored = new Set<string>();
  const heldUntilMs = steadyMs() + resumeWindow * 1000;
  for (const session of stored) {
    const { connectedAtMs, address = "" } = session;
    const username = parseUsername(session.username);
    const hold = resumeWindow === 0 || "fault" in username
      ? undefined
      : room.restore(session.id, username, { connectedAtMs, heldUntilMs, address });
    tokens.restore(session);
    if (hold === undefined) tokens.end(session.id);
    else {
      restored.add(session.id);
      held.begin(session.id, address, hold);
    }
  }
  // `named` has the newest first; nonces are remembered in the order of sending.
  for (const message of named.toReversed()) if (restored.has(message.author)) state.remember(message);
  await tokens.idle();
}
