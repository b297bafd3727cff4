/**
 * What a chat session asks of its driver, and its events, as types; nothing happens here.
 *
 * @module
 */
import type { DepartureKind } from "../../protocol/frames.ts";

/**
 * A message as it is shown. `text` is empty once it was deleted. `isOwn` says that this session wrote it and may
 * change it.
 */
export interface Message {
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: number;
  readonly text: string;
  readonly edited: boolean;
  readonly isOwn: boolean;
}

/** A text that somebody sends, from the wish to the acknowledgement. The nonce names it. */
export interface Draft {
  readonly nonce: string;
  readonly text: string;
  readonly timestamp: number;
}

/** What was asked of the server, as answers to it name it. */
export type Wish =
  | { readonly kind: "join"; readonly username: string }
  | { readonly kind: "send"; readonly nonce: string; readonly text: string; readonly timestamp: number }
  | { readonly kind: "edit"; readonly uuid: string; readonly text: string }
  | { readonly kind: "delete"; readonly uuid: string }
  | { readonly kind: "rename"; readonly username: string }
  | { readonly kind: "history"; readonly limit: number; readonly before: string | undefined }
  | { readonly kind: "users" }
  | { readonly kind: "info" };

/**
 * What happens, for the people at it.
 *
 * - `state`: how it stands with the connection. `waiting` comes back by itself at `untilMs`; `refused` and `over` do
 *   not, and `text` says why; `entering` is an open socket that is not yet let in.
 * - `entered`: it is let in. `new` for the first time, `resumed` as the same session, with nothing missed, `again` as a
 *   new session after the old one could not be resumed: what was missed comes from the history, and own earlier
 *   messages are not one's own any more.
 * - `message`: a message that came, was changed or deleted. `isNew` is false where it was there before. `isMissed`
 *   says that it comes from the history, after `again`.
 * - `history`: the answer to a wish for a page, newest last; the first page after `entered` comes unasked, and
 *   `isStart` marks it. `isReset` says that more was missed than was read, so that what was shown before does not
 *   join up with it. `isOldest`: there is nothing older.
 * - `queued`, `acknowledged`, `unsure`: a text that one sends. It is `unsure` where a lost session took the answer
 *   with it and the history does not have it: `resend` or `discard` it.
 * - `done`, `failed`: the answer to any other wish.
 */
export type SessionEvent =
  | { readonly type: "state"; readonly state: "opening" | "entering" | "live" }
  | { readonly type: "state"; readonly state: "waiting"; readonly untilMs: number; readonly text: string }
  | { readonly type: "state"; readonly state: "refused"; readonly text: string }
  | {
    readonly type: "state";
    readonly state: "over";
    readonly code: number;
    readonly reason: string;
    readonly text: string;
  }
  | {
    readonly type: "entered";
    readonly how: "new" | "resumed" | "again";
    readonly serverName: string;
    readonly username: string;
    readonly isExtended: boolean;
  }
  | {
    readonly type: "message";
    readonly message: Message;
    readonly isNew: boolean;
    readonly isMissed: boolean;
  }
  | { readonly type: "renamed"; readonly from: string; readonly to: string; readonly isOwn: boolean }
  | { readonly type: "came"; readonly username: string; readonly isOwn: boolean }
  | {
    readonly type: "left";
    readonly username: string;
    readonly kind: DepartureKind;
    readonly message: string | undefined;
    readonly isOwn: boolean;
  }
  | { readonly type: "typing"; readonly username: string }
  | { readonly type: "users"; readonly users: readonly string[] }
  | {
    readonly type: "history";
    readonly messages: readonly Message[];
    readonly before: string | undefined;
    readonly isStart: boolean;
    readonly isReset: boolean;
    readonly isOldest: boolean;
  }
  | { readonly type: "queued"; readonly draft: Draft }
  | { readonly type: "acknowledged"; readonly draft: Draft; readonly uuid: string | undefined }
  | { readonly type: "unsure"; readonly draft: Draft }
  | { readonly type: "done"; readonly wish: Wish }
  | { readonly type: "failed"; readonly wish: Wish; readonly text: string }
  | { readonly type: "latency"; readonly ms: number }
  | { readonly type: "info"; readonly info: Record<string, unknown> };

/**
 * What the driver is to do, in order. `socket` numbers the sockets: what an older one still says is not for anybody.
 * `wake` replaces the wake before it; undefined calls it off. One that has come is over.
 */
export type Effect =
  | { readonly do: "open"; readonly socket: number; readonly protocols: readonly string[] }
  | { readonly do: "send"; readonly socket: number; readonly text: string }
  | { readonly do: "close"; readonly socket: number; readonly code: number; readonly reason: string }
  | { readonly do: "emit"; readonly event: SessionEvent }
  | { readonly do: "wake"; readonly atMs: number | undefined };

/**
 * What outlives the program that runs a session, as a tab that is loaded anew: by it a new one resumes. JSON. A text
 * that is `offered` is the person's to send again or to drop.
 */
export interface SavedSession {
  readonly username: string;
  readonly token: string | undefined;
  readonly position: number;
  readonly newest: string;
  readonly own: readonly string[];
  readonly drafts: readonly (Draft & { readonly fate: "waiting" | "sent" | "offered" })[];
}
