/**
 * The client's side of a chat session as a state machine, PROTOCOL.md §3 to §8 and §12: input is what the socket, the
 * user and the clock report, output is a list of effects. It has no socket, timer, page or log of messages. Without
 * `c2.live` a lost connection means a new session, and missed messages come from the history.
 *
 * @module
 */
import { decodeServerFrame, encodeClientFrame, LIVE_SUBPROTOCOL } from "../../protocol/codec.ts";
import type { ServerFrame } from "../../protocol/frames.ts";
import { ConnectionState, earliest } from "./connection_state.ts";
import { Conversation } from "./conversation.ts";
import { RequestQueue } from "./request_queue.ts";
import {
  comesBack,
  GIVEN_UP,
  isFaultText,
  LEFT,
  passesByItself,
  type SessionEnd,
  whyOver,
} from "./reconnect.ts";
import { type Asked, type Request, request } from "./requests.ts";
import { restoreDrafts, saveSession } from "./saved_session.ts";
import type { Draft, Effect, SavedSession, SessionEvent, Wish } from "./session_events.ts";

export type Phase = "idle" | "opening" | "entering" | "refused" | "live" | "waiting" | "leaving" | "over";

/** Milliseconds between two `active_users` queries to a server without `c2.live`, which announces no joins. */
const POLL_MS = 15_000;
/**
 * Milliseconds for each user of the room over which the clients that a server resumes after its restart spread their
 * `roster` queries: with 10,000 users each answer has some 600 kB.
 */
const ROSTER_SPREAD_MS = 10;
/** Drafts that wait to be sent; the next one is not queued, so that the user notices the missing connection. */
export const DRAFTS_MAX = 500;
/**
 * UTF-16 units of a broadcast message: twice the longest that a server can be set to allow. Programs keep hundreds of
 * messages, by their number.
 */
export const MESSAGE_UNITS_MAX = 65_536;
/** UTF-16 units of another broadcast: several times two names, or a name and a ban's message. A roster keeps names. */
export const NOTICE_UNITS_MAX = 4096;
/** Why a wish failed that has no answer at the end of the session. */
export const ENDED_BEFORE = "The session ended before that";

export class ChatSession {
  #phase: Phase = "idle";
  #token: string | undefined;
  #position = 0;
  #wasIn = false;
  #refusal: string | undefined;
  /** Restored drafts are not emitted yet. */
  #hasRestored: boolean;
  /** When to ask for the users. */
  #pollAtMs: number | undefined;
  #wakeAtMs: number | undefined;
  readonly #random: () => number;
  readonly #effects: Effect[] = [];
  readonly #queue = new RequestQueue((text) =>
    this.#effects.push({ do: "send", socket: this.#connection.socket, text })
  );
  readonly #connection: ConnectionState;
  readonly #conversation: Conversation;

  /**
   * `random` returns 0 to less than 1, `wallMs` the wall clock's time. With `saved`, `join` by the saved name resumes
   * that session.
   */
  constructor(
    { random, wallMs, saved }: {
      readonly random: () => number;
      readonly wallMs: () => number;
      readonly saved?: SavedSession;
    },
  ) {
    this.#random = random;
    this.#connection = new ConnectionState(random);
    this.#conversation = new Conversation((event) => this.#emit(event), random, wallMs, saved);
    this.#hasRestored = saved !== undefined;
    if (saved === undefined) return;
    restoreDrafts(saved, this.#queue.requests);
    if (saved.token === undefined) return;
    this.#token = saved.token;
    this.#position = saved.position;
    this.#wasIn = true;
    this.#connection.sessionLost(0);
  }

  /** The present name; before the session is let in, the wished one. */
  get username(): string {
    return this.#conversation.username;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** True if the server speaks `c2.live`. Other servers send neither joins nor typing, and resume no session. */
  get isExtended(): boolean {
    return this.#queue.isExtended;
  }

  get users(): readonly string[] {
    return this.#conversation.users;
  }

  /** Those whose connection is lost and whose session the server holds. */
  get away(): readonly string[] {
    return this.#conversation.away;
  }

  /** How many texts are not known to be stored: queued, sent without an answer, or offered to the user. */
  get unsent(): number {
    const { own } = this.#conversation;
    return this.#queue.requests.sends.length + own.unsure.length + own.offered.length;
  }

  /** How many edits and deletions have no answer yet. */
  get unansweredChanges(): number {
    return this.#queue.requests.changes;
  }

  save(): SavedSession {
    const place = { token: this.#token, position: this.#position };
    return saveSession(this.#conversation, this.#queue.requests, place);
  }

  // What the driver reports.

  /** `protocol` is the subprotocol that the server selected. */
  opened(nowMs: number, socket: number, protocol: string): Effect[] {
    if (this.#isCurrent(socket)) {
      this.#connection.opened(nowMs);
      this.#queue.opened(nowMs, protocol === LIVE_SUBPROTOCOL);
      this.#enter(nowMs);
    }
    return this.#advance(nowMs);
  }

  received(nowMs: number, socket: number, text: string): Effect[] {
    const frame = this.#isCurrent(socket) ? decodeServerFrame(text) : undefined;
    if (frame !== undefined) {
      this.#connection.received(nowMs);
      this.#receive(nowMs, frame, text.length);
    }
    return this.#advance(nowMs);
  }

  closed(nowMs: number, socket: number, code: number, reason: string): Effect[] {
    if (this.#isCurrent(socket)) this.#lost(nowMs, code, reason);
    return this.#advance(nowMs);
  }

  /** Call at the time of a `wake`; an earlier or later call does no harm. */
  woke(nowMs: number): Effect[] {
    this.#wakeAtMs = undefined;
    return this.#advance(nowMs);
  }

  /**
   * Call when the network changes, the page becomes visible or the user asks for it: tries at once, and soon again, or
   * tests the connection.
   */
  hint(nowMs: number): Effect[] {
    if (this.#phase === "opening" && this.#connection.isStuck(nowMs)) {
      this.#giveUp(nowMs, GIVEN_UP, "no answer");
    }
    if (this.#phase === "waiting") {
      this.#connection.resetBackoff();
      this.#open(nowMs);
    } else if (this.#phase === "live") this.#connection.probe(nowMs);
    return this.#advance(nowMs);
  }

  // What the person wants.

  /**
   * Joins by a name. The same name as before resumes the session, if it can be resumed. Under another name the texts
   * that wait are not sent by themselves: the user wrote them under the name before.
   */
  join(nowMs: number, username: string): Effect[] {
    if (["live", "entering", "leaving"].includes(this.#phase)) return this.#advance(nowMs);
    const name = username.normalize("NFC");
    this.#emitRestored();
    if (name !== this.#conversation.username) {
      // The token belongs to the session of the old name.
      this.#token = undefined;
      this.#offer(this.#queue.requests.takeNeverSent());
    }
    this.#conversation.username = name;
    this.#conversation.end = undefined;
    this.#refusal = undefined;
    this.#connection.resetBackoff();
    if (this.#phase === "refused" && this.#connection.isOpen) this.#enter(nowMs);
    else if (this.#phase !== "opening") this.#open(nowMs);
    return this.#advance(nowMs);
  }

  /**
   * Leaves: what was not sent is the user's to send again. Without a connection the server does not learn of it and
   * holds the session, so the same name resumes it.
   */
  leave(nowMs: number): Effect[] {
    this.#pollAtMs = undefined;
    this.#emitRestored();
    this.#offer(this.#queue.requests.takeWaiting());
    if (this.#phase === "live") {
      this.#phase = "leaving";
      this.#connection.leaving(nowMs);
      this.#effects.push({
        do: "send",
        socket: this.#connection.socket,
        text: encodeClientFrame({ type: "DISCONNECT" }),
      });
    } else this.#giveUp(nowMs, 1000, "goodbye");
    return this.#advance(nowMs);
  }

  /** `nowMs` is of the steady clock, as everywhere; `wallMs` is of the wall clock. */
  send(nowMs: number, wallMs: number, text: string): Effect[] {
    const draft = { nonce: this.#conversation.own.makeNonce(), text, timestamp: wallMs };
    if (this.#queue.requests.sends.length < DRAFTS_MAX) {
      this.#queueDraft(draft);
    } else {
      this.#conversation.own.offer(draft);
      const why = `At most ${DRAFTS_MAX} messages wait to be sent`;
      this.#emit({ type: "failed", wish: { kind: "send", ...draft }, text: why });
    }
    return this.#advance(nowMs);
  }

  /** Sends an unsent or failed draft again, or drops it. */
  settleDraft(nowMs: number, nonce: string, isSent: boolean): Effect[] {
    const draft = this.#conversation.own.takeOffered(nonce);
    if (draft !== undefined && isSent) this.#queueDraft(draft);
    return this.#advance(nowMs);
  }

  wish(nowMs: number, wish: Exclude<Wish, { kind: "send" | "join" }>): Effect[] {
    this.#queue.requests.add(request(wish));
    return this.#advance(nowMs);
  }

  /** Call on each key press; TYPING frames are sent at intervals. */
  typing(nowMs: number): Effect[] {
    if (this.#phase === "live" && this.isExtended) this.#queue.typing(nowMs, this.username);
    return this.#advance(nowMs);
  }

  // The connection.

  #isCurrent(socket: number): boolean {
    return socket === this.#connection.socket && this.#connection.hasSocket;
  }

  #open(nowMs: number): void {
    this.#phase = "opening";
    this.#effects.push({ do: "open", socket: this.#connection.open(nowMs), protocols: [LIVE_SUBPROTOCOL] });
    this.#emit({ type: "state", state: "opening" });
  }

  #enter(nowMs: number): void {
    this.#phase = "entering";
    this.#emit({ type: "state", state: "entering" });
    const token = this.isExtended ? this.#token : undefined;
    const [username, position] = [this.username, this.#position];
    const asked = request(
      token === undefined ? { kind: "join", username } : { kind: "resume", token, position },
    );
    this.#queue.sendNow(nowMs, username, asked);
  }

  #giveUp(nowMs: number, code: number, reason: string): void {
    if (this.#connection.hasSocket) {
      this.#effects.push({ do: "close", socket: this.#connection.socket, code, reason });
    }
    this.#lost(nowMs, code, reason);
  }

  #lost(nowMs: number, code: number, reason: string): void {
    const [phase, { isOpen }] = [this.#phase, this.#connection];
    const isAsked = phase === "entering" && this.#queue.askedAtMs !== undefined;
    if (phase === "live" || isAsked) this.#connection.sessionLost(nowMs);
    this.#connection.lost(nowMs);
    this.#queue.requests.lost();
    this.#pollAtMs = undefined;
    const end = this.#endOf(code, reason);
    if (end !== undefined) {
      this.#phase = "over";
      this.#offer(this.#queue.requests.takeWaiting());
      this.#emit({ type: "state", state: "over", ...end });
      return;
    }
    // The user is choosing a name; `join` opens the next socket.
    if (phase === "refused") return;
    this.#phase = "waiting";
    const untilMs = this.#connection.scheduleRetry(nowMs);
    const text = this.#refusal ?? (isOpen ? "The connection was lost" : "The server cannot be reached");
    const isNameTaken = this.#refusal !== undefined && isFaultText(this.#refusal, "NAME_TAKEN", "NAME_HELD");
    this.#emit({ type: "state", state: "waiting", untilMs, text, isNameTaken });
  }

  /** Why the session is over with this close; undefined if the client comes back. */
  #endOf(code: number, reason: string): SessionEnd | undefined {
    if (this.#phase === "leaving") return LEFT;
    // The frame is final: not every runtime reports the code of the close after it.
    return this.#conversation.end ?? (comesBack(code) ? undefined : whyOver(code, reason, this.#refusal));
  }

  // Frames.

  #receive(nowMs: number, frame: ServerFrame, units: number): void {
    if (units > unitsMax(frame)) return this.#outOfStep(nowMs);
    switch (frame.type) {
      case "ACKNOWLEDGE":
      case "ERROR":
      case "PING":
        return this.#answer(nowMs, frame);
      case "SESSION":
        this.#token = frame.token;
        if (this.#conversation.hasRoster) this.#keepRoster(nowMs, frame.position === this.#position);
        this.#position = frame.position;
        return;
      case "TYPING":
        return this.#conversation.typing(frame.username);
      case "AWAY":
      case "BACK":
        return this.#conversation.setAway(frame.username, frame.type === "AWAY");
      default:
        this.#position++;
        if (!this.#conversation.receive(frame, units)) this.#outOfStep(nowMs);
        else if (this.#conversation.end !== undefined) {
          this.#token = undefined;
          if (this.#phase !== "leaving") this.#giveUp(nowMs, 1000, "");
        }
    }
  }

  /** Gives up a server that sends more than a client keeps: a resumed session would replay all of it again. */
  #outOfStep(nowMs: number): void {
    this.#token = undefined;
    this.#giveUp(nowMs, GIVEN_UP, "out of step");
  }

  #answer(nowMs: number, frame: Extract<ServerFrame, { type: "ACKNOWLEDGE" | "ERROR" | "PING" }>): void {
    const answered = this.#queue.requests.answered();
    const isPing = answered?.asked.kind === "ping";
    if (answered === undefined || (frame.type !== "ERROR" && (frame.type === "PING") !== isPing)) {
      // An unexpected answer: requests and answers can no longer be matched.
      return this.#giveUp(nowMs, GIVEN_UP, "out of step");
    }
    if (frame.type === "PING") this.#emit({ type: "latency", ms: nowMs - answered.sentAtMs });
    else if (frame.type === "ERROR") this.#refused(nowMs, answered, frame.text);
    else this.#acknowledged(nowMs, answered, frame.content);
  }

  #acknowledged(nowMs: number, answered: Request, content: string | undefined): void {
    const { asked, isOwn } = answered;
    switch (asked.kind) {
      case "join":
      case "resume":
        return this.#entered(nowMs, asked.kind === "resume", content ?? "");
      case "send":
        return this.#conversation.delivered(asked, answered.sentAs, this.isExtended ? content : undefined);
      case "history":
        return isOwn
          ? this.#queue.askFirst([this.#conversation.catchUp(content)])
          : this.#conversation.receivePage(content, asked.before);
      case "search":
        return this.#conversation.receiveSearch(content, asked);
      case "users":
        this.#conversation.receiveUsers(content);
        break;
      case "info":
        this.#emit({ type: "info", info: this.#queue.applyServerInfo(content) });
        break;
      case "ping":
      case "typing":
        return;
    }
    if (!isOwn) this.#emit({ type: "done", wish: asked });
  }

  #refused(nowMs: number, refused: Request, text: string): void {
    const { asked, isOwn } = refused;
    if (asked.kind === "join") return this.#notLetIn(nowMs, text);
    if (asked.kind === "resume") {
      if (passesByItself(text)) return this.#giveUp(nowMs, GIVEN_UP, "not now");
      this.#token = undefined;
      if (isFaultText(text, "RESUME_KICKED")) return this.#giveUp(nowMs, 1000, "kicked");
      // The server holds no session of ours: if the name is taken, another client has it.
      this.#connection.sessionEnded();
      return this.#enter(nowMs);
    }
    if (asked.kind === "ping" || asked.kind === "typing") return;
    if (isFaultText(text, "FLOOD", "ADDRESS_FLOOD")) {
      this.#queue.pacing.backOff(nowMs);
      return this.#queue.requests.addFirst([refused]);
    }
    if (isOwn && asked.kind === "history") this.#queue.askFirst([this.#conversation.catchUp(undefined)]);
    if (isOwn) return;
    // The first try, on the lost connection, had already deleted it.
    const isDone = asked.kind === "delete" && refused.tries > 1 && isFaultText(text, "MESSAGE_DELETED");
    if (asked.kind === "send") this.#conversation.own.offer(asked);
    this.#emit(isDone ? { type: "done", wish: asked } : { type: "failed", wish: asked, text });
  }

  #notLetIn(nowMs: number, text: string): void {
    this.#refusal = text;
    // The name may still be held by our own lost connection, which the server has not noticed yet.
    const mayPass = isFaultText(text, "NAME_TAKEN", "NAME_HELD")
      ? this.#connection.mayRetryName(nowMs)
      : this.#wasIn && passesByItself(text);
    if (mayPass) {
      return this.#giveUp(nowMs, GIVEN_UP, "not now");
    }
    this.#phase = "refused";
    this.#connection.waitForName();
    this.#emit({ type: "state", state: "refused", text });
  }

  #entered(nowMs: number, isResumed: boolean, serverName: string): void {
    const how = isResumed ? "resumed" : this.#wasIn ? "again" : "new";
    this.#phase = "live";
    this.#wasIn = true;
    this.#refusal = undefined;
    this.#connection.entered(nowMs);
    if (!isResumed) {
      this.#token = undefined;
      this.#conversation.own.disown(this.#queue.requests.takeUnsure());
    }
    if (!this.isExtended) this.#pollAtMs = nowMs + POLL_MS;
    this.#emit({ type: "entered", how, serverName, username: this.username, isExtended: this.isExtended });
    this.#emit({ type: "state", state: "live" });
    const page = this.#conversation.begin(isResumed);
    const isKept = page === undefined;
    this.#queue.askFirst([page, isKept ? undefined : { kind: "users" }, { kind: "info" }]);
    if (isKept && !this.#conversation.hasRoster) this.#askUsersLater(nowMs);
  }

  /** The session is resumed. In the same run of the server the replay has all who came and went, §12.6. */
  #keepRoster(nowMs: number, isSameRun: boolean): void {
    this.#conversation.resumed();
    if (isSameRun) return;
    this.#conversation.hasRoster = false;
    this.#askUsersLater(nowMs);
  }

  #askUsersLater(nowMs: number): void {
    this.#pollAtMs = nowMs + this.#random() * this.users.length * ROSTER_SPREAD_MS;
  }

  #emitRestored(): void {
    if (!this.#hasRestored) return;
    this.#hasRestored = false;
    for (const draft of this.#conversation.own.offered) this.#emit({ type: "unsent", draft, wasSent: false });
    for (const { asked: { nonce, text, timestamp } } of this.#queue.requests.sends) {
      this.#emit({ type: "queued", draft: { nonce, text, timestamp } });
    }
  }

  /** Gives requests back to the user: nothing sends them by itself any more. */
  #offer(requests: readonly Request[]): void {
    for (const { asked, isOwn, tries } of requests) {
      if (asked.kind === "send") {
        const { nonce, text, timestamp } = asked;
        this.#conversation.own.offer(asked);
        this.#emit({ type: "unsent", draft: { nonce, text, timestamp }, wasSent: tries > 0 });
      } else if (!isOwn && isChange(asked)) {
        this.#emit({ type: "failed", wish: asked, text: ENDED_BEFORE });
      }
    }
  }

  #emit(event: SessionEvent): void {
    this.#effects.push({ do: "emit", event });
  }

  #queueDraft(draft: Draft): void {
    this.#queue.requests.add(request({ kind: "send", ...draft }));
    this.#emit({ type: "queued", draft });
  }

  #advance(nowMs: number): Effect[] {
    if (this.#connection.isDead(nowMs, this.#queue.askedAtMs)) this.#giveUp(nowMs, GIVEN_UP, "no answer");
    if (this.#phase === "waiting" && this.#connection.isRetryDue(nowMs)) this.#open(nowMs);
    const freeAtMs = this.#phase === "live" ? this.#proceed(nowMs) : undefined;
    const wakeAtMs = earliest([freeAtMs, this.#pollAtMs, this.#connection.wakeAtMs(this.#queue.askedAtMs)]);
    if (wakeAtMs !== this.#wakeAtMs) this.#effects.push({ do: "wake", atMs: wakeAtMs });
    this.#wakeAtMs = wakeAtMs;
    return this.#effects.splice(0);
  }

  /** Sends what is due. Returns when to call again, if frames still wait for the pacing. */
  #proceed(nowMs: number): number | undefined {
    if (this.#pollAtMs !== undefined && nowMs >= this.#pollAtMs) {
      this.#pollAtMs = this.isExtended ? undefined : nowMs + POLL_MS;
      this.#queue.askFirst([{ kind: "users" }]);
    }
    const { username } = this;
    const freeAtMs = this.#queue.sendWaiting(nowMs, username, (wish) => this.#emit({ type: "done", wish }));
    if (this.#connection.isPingDue(nowMs)) {
      this.#queue.sendIfFree(nowMs, username, "ping");
      this.#connection.pinged(nowMs);
    }
    return freeAtMs;
  }
}

/** The longest that a client reads of a frame. Answers are read at once, and only parts of them are kept. */
function unitsMax({ type }: ServerFrame): number {
  if (type === "ACKNOWLEDGE" || type === "ERROR") return Infinity;
  return type === "MSG" ? MESSAGE_UNITS_MAX : NOTICE_UNITS_MAX;
}

/** Wishes whose caller waits for an answer. */
function isChange(
  asked: Asked,
): asked is Extract<Wish, { kind: "edit" | "delete" | "rename" | "history" | "search" }> {
  return ["edit", "delete", "rename", "history", "search"].includes(asked.kind);
}
