/**
 * The types of a chat session's effects, which its driver carries out, and of its events. Nothing happens here.
 *
 * @module
 */
import type { DepartureKind } from "../../protocol/frames.ts";

/** A message to show. */
export interface Message {
  /** Its id. Ids grow, compared as text. */
  readonly uuid: string;
  /** The author's name at that time. */
  readonly username: string;
  /** The author's time in milliseconds, which may be any number. */
  readonly timestamp: number;
  /** When the server received it, in milliseconds since 1970. */
  readonly receivedMs: number;
  /** Empty if it was deleted. */
  readonly text: string;
  /** True if its text was changed. */
  readonly edited: boolean;
  /** True if this session wrote it, and so may change it. */
  readonly isOwn: boolean;
}

/** A text that the user sends, until it is acknowledged or dropped; `nonce` identifies it. */
export interface Draft {
  readonly nonce: string;
  readonly text: string;
  readonly timestamp: number;
}

/** A request to the server, as events name it. */
export type Wish =
  | { readonly kind: "join"; readonly username: string }
  | { readonly kind: "send"; readonly nonce: string; readonly text: string; readonly timestamp: number }
  | { readonly kind: "edit"; readonly uuid: string; readonly text: string }
  | { readonly kind: "delete"; readonly uuid: string }
  | { readonly kind: "rename"; readonly username: string }
  | { readonly kind: "history"; readonly limit: number; readonly before: string | undefined }
  | {
    readonly kind: "search";
    readonly limit: number;
    readonly before: string | undefined;
    readonly words: string;
  }
  | { readonly kind: "users" }
  | { readonly kind: "info" };

/** Why a session is over. `closed` is any other close by the server. */
export type EndCause = "left" | "kicked" | "banned" | "elsewhere" | "timeout" | "closed";

/**
 * What a session reports.
 *
 * - `state`: the connection. `waiting` retries by itself at `untilMs`; `refused` and `over` do not, and `text` says why;
 *   `entering` is an open socket before the session is let in. `isNameTaken` means that the server refuses the name,
 *   which may be free later. After `over` the texts that were not sent are the user's to send again.
 * - `entered`: the server let the session in. `new` is the first time. `resumed` is the same session without a gap.
 *   `again` is a new session because the old one could not be resumed: missed messages come from the history, and
 *   earlier own messages can no longer be changed.
 * - `message`: a message arrived, was changed or deleted. `isNew` is false if it was shown before. `isMissed` means that
 *   it comes from the history, after `again`.
 * - `history`: a page, oldest first. The first page after `entered` comes without a wish and has `isStart`. `isReset`
 *   means that a hole remains before this page. `isOldest` means that the server has no older message.
 *   `newCount` says how many of the last messages were broadcast since `entered`, and have no event of their own.
 * - `found`: the answer to a search, newest first. `searchedTo` is the `before` to search on; undefined at the end.
 * - `queued`, `acknowledged`, `unsent`: a draft. `unsent` means that it is not sent by itself any more; call
 *   `settleDraft`. `wasSent` means that it left once: the answer was lost, and the history lacks the message.
 * - `users`: the roster changed. Read the session's `users` and `away` when they are shown: many may join at once.
 * - `done`, `failed`: the answer to any other wish.
 */
export type SessionEvent =
  | { readonly type: "state"; readonly state: "opening" | "entering" | "live" }
  | {
    readonly type: "state";
    readonly state: "waiting";
    readonly untilMs: number;
    readonly text: string;
    readonly isNameTaken: boolean;
  }
  | { readonly type: "state"; readonly state: "refused"; readonly text: string }
  | {
    readonly type: "state";
    readonly state: "over";
    readonly cause: EndCause;
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
  /** `isWhole`: the server's answer, not a change by one arrival or departure. */
  | { readonly type: "users"; readonly isWhole: boolean }
  | {
    readonly type: "history";
    readonly messages: readonly Message[];
    readonly before: string | undefined;
    readonly isStart: boolean;
    readonly isReset: boolean;
    readonly isOldest: boolean;
    readonly newCount: number;
  }
  | {
    readonly type: "found";
    readonly wish: Extract<Wish, { kind: "search" }>;
    readonly messages: readonly Message[];
    readonly searchedTo: string | undefined;
  }
  | { readonly type: "queued"; readonly draft: Draft }
  | { readonly type: "acknowledged"; readonly draft: Draft; readonly uuid: string | undefined }
  | { readonly type: "unsent"; readonly draft: Draft; readonly wasSent: boolean }
  | { readonly type: "done"; readonly wish: Wish }
  | { readonly type: "failed"; readonly wish: Wish; readonly text: string }
  | { readonly type: "latency"; readonly ms: number }
  | { readonly type: "info"; readonly info: Record<string, unknown> };

/**
 * What the driver does, in order. `socket` numbers the sockets; events of an older one are ignored. A `wake` replaces
 * the earlier one, and undefined cancels it.
 */
export type Effect =
  | { readonly do: "open"; readonly socket: number; readonly protocols: readonly string[] }
  | { readonly do: "send"; readonly socket: number; readonly text: string }
  | { readonly do: "close"; readonly socket: number; readonly code: number; readonly reason: string }
  | { readonly do: "emit"; readonly event: SessionEvent }
  | { readonly do: "wake"; readonly atMs: number | undefined };

/**
 * What outlives the program, as JSON: a new session resumes from it. An `offered` draft is for the user to send again
 * or to drop.
 */
export interface SavedSession {
  readonly username: string;
  readonly token: string | undefined;
  readonly position: number;
  readonly newest: string;
  readonly own: readonly string[];
  readonly drafts: readonly (Draft & { readonly fate: "waiting" | "sent" | "offered" })[];
}
