/**
 * A person's session on a chat server, PROTOCOL.md §3 to §8 and the extended mode `c2.live`, as a state machine:
 * fed with what the socket, the person and the clock bring, it answers with what is to be done.
 *
 * It has no socket, no timer, no clock, no page and no terminal: session_events.js says what it asks for and what it
 * tells. It keeps no log of messages; that is message_log.js's. On a server without `c2.live` it works too: there a
 * lost connection is a new session, and what was missed comes from the history.
 *
 * @module
 */
// @ts-check
import { Conversation } from "./conversation.js";
import { decodeServerFrame, LIVE_PROTOCOL } from "./frames.js";
import { earliest, Line } from "./line.js";
import { Outgoing } from "./outgoing.js";
import { comesBack, GIVEN_UP, isFlood, mayPass, passesByItself, whyOver } from "./reconnect.js";
import { request } from "./requests.js";
import { restoreDrafts, saveSession } from "./saved_session.js";

/**
 * @typedef {import("./session_events.js").Effect} Effect
 * @typedef {import("./session_events.js").SessionEvent} SessionEvent
 * @typedef {import("./session_events.js").Wish} Wish
 * @typedef {import("./session_events.js").SavedSession} SavedSession
 * @typedef {import("./frames.js").ServerFrame} ServerFrame
 * @typedef {import("./requests.js").Request} Request
 * @typedef {"idle" | "opening" | "entering" | "refused" | "live" | "waiting" | "leaving" | "over"} Phase
 */

/** Milliseconds between two looks at who is there, where the server does not tell who comes. */
const POLL_MS = 15_000;
/** Texts that wait to be sent: a person who writes on for hours without a connection finds out. */
export const DRAFTS_MAX = 500;

export class ChatSession {
  /** @type {Phase} */
  #phase = "idle";
  /** @type {string | undefined} */
  #token;
  #position = 0;
  #wasIn = false;
  /** @type {string | undefined} the server's last word on why it does not let us in */
  #refusal;
  /** @type {number | undefined} */
  #pollAtMs;
  /** @type {number | undefined} */
  #wakeAtMs;
  /** @type {Effect[]} */
  #effects = [];
  #outgoing = new Outgoing((text) => this.#effects.push({ do: "send", socket: this.#line.socket, text }));
  #line;
  #conversation;

  /**
   * @param {object} options
   * @param {() => number} options.random from 0 to less than 1
   * @param {SavedSession} [options.saved] what `save` gave, as soon as the clock begins: `join` by its name resumes
   */
  constructor({ random, saved }) {
    this.#line = new Line(random);
    this.#conversation = new Conversation((event) => this.#tell(event), random, saved);
    if (saved === undefined) return;
    this.#token = saved.token;
    this.#position = saved.position;
    this.#wasIn = true;
    this.#line.leftBehind(0);
    restoreDrafts(saved, this.#outgoing.requests);
  }

  /** The present name, which is the wished one until the session is let in. */
  get username() {
    return this.#conversation.username;
  }

  /** @returns {Phase} */
  get phase() {
    return this.#phase;
  }

  /** Whether the server speaks `c2.live`: without it nobody is told who comes and who types, and nothing is resumed. */
  get isLive() {
    return this.#outgoing.isLive;
  }

  get users() {
    return this.#conversation.users;
  }

  /** What a new session object goes on from. @returns {SavedSession} */
  save() {
    const place = { token: this.#token, position: this.#position };
    return saveSession(this.#conversation, this.#outgoing.requests, place);
  }

  // What the driver reports.

  /** @param {number} nowMs @param {number} socket @param {string} protocol that the server chose */
  opened(nowMs, socket, protocol) {
    if (this.#isCurrent(socket)) {
      this.#line.opened(nowMs);
      this.#outgoing.opened(nowMs, protocol === LIVE_PROTOCOL);
      this.#enter(nowMs);
    }
    return this.#settle(nowMs);
  }

  /** @param {number} nowMs @param {number} socket @param {string} text */
  received(nowMs, socket, text) {
    const frame = this.#isCurrent(socket) ? decodeServerFrame(text) : undefined;
    if (frame !== undefined) {
      this.#line.heard(nowMs);
      this.#take(nowMs, frame);
    }
    return this.#settle(nowMs);
  }

  /** @param {number} nowMs @param {number} socket @param {number} code @param {string} reason */
  closed(nowMs, socket, code, reason) {
    if (this.#isCurrent(socket)) this.#lost(nowMs, code, reason);
    return this.#settle(nowMs);
  }

  /** The time of a `wake` has come, or any other. @param {number} nowMs */
  woke(nowMs) {
    this.#wakeAtMs = undefined;
    return this.#settle(nowMs);
  }

  /** Something changed: the network came or went, the page is shown again. @param {number} nowMs */
  hint(nowMs) {
    if (this.#phase === "waiting") this.#open(nowMs);
    else if (this.#phase === "live") this.#line.probe(nowMs);
    return this.#settle(nowMs);
  }

  // What the person wants.

  /** Joins by a name, or comes back. @param {number} nowMs @param {string} username */
  join(nowMs, username) {
    if (["live", "entering", "leaving"].includes(this.#phase)) return this.#settle(nowMs);
    const name = username.normalize("NFC");
    // A session that could be resumed has its name.
    if (name !== this.#conversation.username) this.#token = undefined;
    this.#conversation.username = name;
    this.#refusal = undefined;
    this.#line.forget();
    if (this.#phase === "refused" && this.#line.isOpen) this.#enter(nowMs);
    else if (this.#phase !== "opening") this.#open(nowMs);
    return this.#settle(nowMs);
  }

  /** Leaves for good. @param {number} nowMs */
  leave(nowMs) {
    [this.#token, this.#pollAtMs] = [undefined, undefined];
    this.#outgoing.requests.clear();
    if (this.#phase === "live") {
      this.#phase = "leaving";
      this.#line.leaves(nowMs);
      this.#effects.push({ do: "send", socket: this.#line.socket, text: "c2/DISCONNECT" });
    } else this.#giveUp(nowMs, 1000, "goodbye");
    return this.#settle(nowMs);
  }

  /** @param {number} nowMs by the steady clock @param {number} wallMs by the wall clock @param {string} text */
  send(nowMs, wallMs, text) {
    const draft = { nonce: this.#conversation.own.makeNonce(), text, timestamp: wallMs };
    if (this.#outgoing.requests.sends.length < DRAFTS_MAX) {
      this.#queue(draft);
    } else {
      this.#conversation.own.offer(draft);
      const why = `At most ${DRAFTS_MAX} messages wait to be sent`;
      this.#tell({ type: "failed", wish: { kind: "send", ...draft }, text: why });
    }
    return this.#settle(nowMs);
  }

  /** Sends a text once more that is unsure or has failed, or drops it. @param {number} nowMs @param {string} nonce @param {boolean} isSent */
  settleDraft(nowMs, nonce, isSent) {
    const draft = this.#conversation.own.takeOffered(nonce);
    if (draft !== undefined && isSent) this.#queue(draft);
    return this.#settle(nowMs);
  }

  /** Anything else that is asked of the server. @param {number} nowMs @param {Exclude<Wish, { kind: "send" | "join" }>} wish */
  wish(nowMs, wish) {
    this.#outgoing.requests.add(request(wish));
    return this.#settle(nowMs);
  }

  /** The person is typing, which the others are told now and then. @param {number} nowMs */
  typing(nowMs) {
    if (this.#phase === "live" && this.isLive) this.#outgoing.typing(nowMs, this.username);
    return this.#settle(nowMs);
  }

  // The connection.

  /** @param {number} socket */
  #isCurrent(socket) {
    return socket === this.#line.socket && this.#line.hasSocket;
  }

  /** @param {number} nowMs */
  #open(nowMs) {
    this.#phase = "opening";
    this.#effects.push({ do: "open", socket: this.#line.open(nowMs), protocols: [LIVE_PROTOCOL] });
    this.#tell({ type: "state", state: "opening" });
  }

  /** @param {number} nowMs */
  #enter(nowMs) {
    this.#phase = "entering";
    this.#tell({ type: "state", state: "entering" });
    const token = this.isLive ? this.#token : undefined;
    const [username, position] = [this.username, this.#position];
    const asked = request(
      token === undefined ? { kind: "join", username } : { kind: "resume", token, position },
    );
    this.#outgoing.transmit(nowMs, username, asked);
  }

  /** @param {number} nowMs @param {number} code @param {string} reason */
  #giveUp(nowMs, code, reason) {
    if (this.#line.hasSocket) this.#effects.push({ do: "close", socket: this.#line.socket, code, reason });
    this.#lost(nowMs, code, reason);
  }

  /** @param {number} nowMs @param {number} code @param {string} reason */
  #lost(nowMs, code, reason) {
    const [phase, { isOpen }] = [this.#phase, this.#line];
    const isAsked = phase === "entering" && this.#outgoing.askedAtMs !== undefined;
    if (phase === "live" || isAsked) this.#line.leftBehind(nowMs);
    this.#line.lost(nowMs);
    this.#outgoing.requests.lost(phase === "leaving");
    this.#pollAtMs = undefined;
    if (phase === "leaving" || !comesBack(code)) {
      this.#phase = "over";
      const lastWord = this.#conversation.ban ?? this.#refusal;
      const text = whyOver(code, phase === "leaving" ? "goodbye" : reason, lastWord);
      this.#tell({ type: "state", state: "over", code, reason, text });
      return;
    }
    // A person is choosing a name: the next socket is opened when it is chosen.
    if (phase === "refused") return;
    this.#phase = "waiting";
    const untilMs = this.#line.waits(nowMs);
    const text = this.#refusal ?? (isOpen ? "The connection was lost" : "The server cannot be reached");
    this.#tell({ type: "state", state: "waiting", untilMs, text });
  }

  // Frames.

  /** @param {number} nowMs @param {ServerFrame} frame */
  #take(nowMs, frame) {
    switch (frame.type) {
      case "ACKNOWLEDGE":
      case "ERROR":
      case "PING":
        return this.#answer(nowMs, frame);
      case "SESSION":
        this.#token = frame.token;
        this.#position = frame.position;
        return;
      case "TYPING":
        return this.#conversation.typing(frame.username);
      default:
        this.#position++;
        if (this.#conversation.take(frame)) return;
        // To be resumed would bring it all again.
        this.#token = undefined;
        this.#giveUp(nowMs, GIVEN_UP, "out of step");
    }
  }

  /** @param {number} nowMs @param {Extract<ServerFrame, { type: "ACKNOWLEDGE" | "ERROR" | "PING" }>} frame */
  #answer(nowMs, frame) {
    const answered = this.#outgoing.requests.answered();
    const isPing = answered?.asked.kind === "ping";
    if (answered === undefined || (frame.type !== "ERROR" && (frame.type === "PING") !== isPing)) {
      // Neither side knows any more what belongs to what.
      return this.#giveUp(nowMs, GIVEN_UP, "out of step");
    }
    if (frame.type === "PING") this.#tell({ type: "latency", ms: nowMs - answered.sentAtMs });
    else if (frame.type === "ERROR") this.#refused(nowMs, answered, frame.text);
    else this.#acknowledged(nowMs, answered, frame.content);
  }

  /** @param {number} nowMs @param {Request} answered @param {string | undefined} content */
  #acknowledged(nowMs, answered, content) {
    const { asked, isOwn } = answered;
    switch (asked.kind) {
      case "join":
      case "resume":
        return this.#entered(nowMs, asked.kind === "resume", content ?? "");
      case "send":
        return this.#conversation.delivered(asked, answered.sentAs, this.isLive ? content : undefined);
      case "history":
        return isOwn
          ? this.#outgoing.askFirst([this.#conversation.catchUp(content)])
          : this.#conversation.takePage(content, asked.before);
      case "users":
        this.#conversation.takeUsers(content);
        break;
      case "info":
        this.#tell({ type: "info", info: this.#outgoing.informed(content) });
        break;
      case "ping":
      case "typing":
        return;
    }
    if (!isOwn) this.#tell({ type: "done", wish: asked });
  }

  /** @param {number} nowMs @param {Request} refused @param {string} text */
  #refused(nowMs, refused, text) {
    const { asked, isOwn } = refused;
    if (asked.kind === "join") return this.#notLetIn(nowMs, text);
    if (asked.kind === "resume") {
      if (passesByItself(text)) return this.#giveUp(nowMs, GIVEN_UP, "not now");
      this.#token = undefined;
      return this.#enter(nowMs);
    }
    if (asked.kind === "ping" || asked.kind === "typing") return;
    if (isFlood(text)) {
      this.#outgoing.pacing.hold(nowMs);
      return this.#outgoing.requests.addFirst([refused]);
    }
    if (isOwn && asked.kind === "history") this.#outgoing.askFirst([this.#conversation.catchUp(undefined)]);
    if (isOwn) return;
    // It was asked for on a connection that was lost, and had worked.
    const isDone = asked.kind === "delete" && refused.tries > 1 && text === "This message was deleted";
    if (asked.kind === "send") this.#conversation.own.offer(asked);
    this.#tell(isDone ? { type: "done", wish: asked } : { type: "failed", wish: asked, text });
  }

  /** @param {number} nowMs @param {string} text */
  #notLetIn(nowMs, text) {
    this.#refusal = text;
    // The name may be that of the lost connection itself, which the server does not know yet to be lost.
    if (mayPass(text) && this.#line.insists(nowMs)) return this.#giveUp(nowMs, GIVEN_UP, "not now");
    this.#phase = "refused";
    this.#line.rests();
    this.#tell({ type: "state", state: "refused", text });
  }

  /** @param {number} nowMs @param {boolean} isResumed @param {string} serverName */
  #entered(nowMs, isResumed, serverName) {
    const how = isResumed ? "resumed" : this.#wasIn ? "again" : "new";
    this.#phase = "live";
    this.#wasIn = true;
    this.#refusal = undefined;
    this.#line.entered(nowMs);
    if (!isResumed) {
      this.#token = undefined;
      this.#conversation.own.disown(this.#outgoing.requests.takeUnsure());
    }
    if (!this.isLive) this.#pollAtMs = nowMs + POLL_MS;
    this.#tell({ type: "entered", how, serverName, username: this.username, isLive: this.isLive });
    this.#tell({ type: "state", state: "live" });
    this.#outgoing.askFirst([this.#conversation.begin(isResumed), { kind: "users" }, { kind: "info" }]);
  }

  /** @param {SessionEvent} event */
  #tell(event) {
    this.#effects.push({ do: "tell", event });
  }

  /** @param {{ nonce: string, text: string, timestamp: number }} draft */
  #queue(draft) {
    this.#outgoing.requests.add(request({ kind: "send", ...draft }));
    this.#tell({ type: "queued", draft });
  }

  /** Does what is due, and hands out what is to be done. @param {number} nowMs @returns {Effect[]} */
  #settle(nowMs) {
    if (this.#line.isDead(nowMs, this.#outgoing.askedAtMs)) this.#giveUp(nowMs, GIVEN_UP, "no answer");
    if (this.#phase === "waiting" && this.#line.isTryDue(nowMs)) this.#open(nowMs);
    const freeAtMs = this.#phase === "live" ? this.#proceed(nowMs) : undefined;
    const wakeAtMs = earliest([freeAtMs, this.#pollAtMs, this.#line.nextMs(this.#outgoing.askedAtMs)]);
    if (wakeAtMs !== this.#wakeAtMs) this.#effects.push({ do: "wake", atMs: wakeAtMs });
    this.#wakeAtMs = wakeAtMs;
    return this.#effects.splice(0);
  }

  /** Sends what waits and what is due; answers when there is more to send. @param {number} nowMs */
  #proceed(nowMs) {
    if (this.#pollAtMs !== undefined && nowMs >= this.#pollAtMs) {
      this.#pollAtMs = nowMs + POLL_MS;
      this.#outgoing.askFirst([{ kind: "users" }]);
    }
    const { username } = this;
    const freeAtMs = this.#outgoing.pump(nowMs, username, (wish) => this.#tell({ type: "done", wish }));
    if (this.#line.isPingDue(nowMs)) {
      this.#outgoing.transmitIfFree(nowMs, username, "ping");
      this.#line.pinged(nowMs);
    }
    return freeAtMs;
  }
}
