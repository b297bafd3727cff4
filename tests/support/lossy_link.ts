/**
 * A server of c2.live in memory, and a link to it that loses frames in flight when it is cut: for properties of the
 * client's session, with a clock that the test moves. The server has only what a session needs: tokens, nonces, a log
 * of broadcasts, a history. It enforces no limits.
 *
 * @module
 */
import { FakeDriver, uuidOf } from "./fake_driver.ts";
import type { Effect } from "../../src/client/session/session_events.ts";

interface ServerSession {
  readonly name: string;
  readonly nonces: Map<string, string>;
  /** Whether its hold has expired. */
  isOver: boolean;
}

interface Message {
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: number;
  message: string;
  edited: boolean;
}

/** The server's end of one socket. */
interface Socket {
  session: ServerSession | undefined;
  readonly toServer: string[];
  readonly toClient: string[];
}

export class LossyLink {
  readonly driver: FakeDriver;
  readonly messages: Message[] = [];
  readonly #isLive: boolean;
  /** Every broadcast, in the order of the server. */
  readonly log: string[] = [];
  readonly #sessions = new Map<string, ServerSession>();
  #socket: Socket | undefined;
  #wanted: number | undefined;
  #tokens = 0;

  constructor(isLive: boolean, random: () => number) {
    this.driver = new FakeDriver({ random });
    this.#isLive = isLive;
  }

  /** Runs an input of the session, and puts the frames that it sends on the link. */
  act(input: (driver: FakeDriver) => Effect[]): void {
    const { driver } = this;
    const effects = input(driver);
    driver.run(effects);
    for (const effect of effects) {
      if (effect.do === "open") this.#wanted = effect.socket;
      else if (effect.do === "send") this.#socket?.toServer.push(effect.text);
      else if (effect.do === "close") this.#socket = undefined;
    }
  }

  /** The socket that the session wants opens. */
  open(): void {
    if (this.#wanted === undefined) return;
    const socket = this.#wanted;
    this.#wanted = undefined;
    this.#socket = { session: undefined, toServer: [], toClient: [] };
    const protocol = this.#isLive ? "c2.live" : "";
    this.act(({ session, nowMs }) => session.opened(nowMs, socket, protocol));
  }

  /** The link breaks: frames in flight are lost in both directions. */
  cut(): void {
    if (this.#socket === undefined && this.#wanted === undefined) return;
    if (this.#socket?.session !== undefined && !this.#isLive) this.#lapse(this.#socket.session);
    this.#socket = undefined;
    this.#wanted = undefined;
    this.act(({ session, nowMs, socket }) => session.closed(nowMs, socket, 1006, ""));
  }

  /** Every session without a connection expires. */
  lapse(): void {
    for (const session of this.#sessions.values()) {
      if (session !== this.#socket?.session) this.#lapse(session);
    }
  }

  #lapse(session: ServerSession): void {
    if (!session.isOver) this.#broadcast(`c2/DISCONNECT lost_connection; ${session.name}`);
    session.isOver = true;
  }

  /** Delivers up to `count` frames of the client to the server. */
  toServer(count: number): boolean {
    const frames = this.#socket?.toServer.splice(0, count) ?? [];
    for (const frame of frames) if (this.#socket !== undefined) this.#take(this.#socket, frame);
    return frames.length > 0;
  }

  /** Delivers up to `count` frames of the server to the client. */
  toClient(count: number): boolean {
    const frames = this.#socket?.toClient.splice(0, count) ?? [];
    for (const frame of frames) {
      this.act(({ session, nowMs, socket }) => session.received(nowMs, socket, frame));
    }
    return frames.length > 0;
  }

  pass(ms: number): void {
    const { driver } = this;
    const untilMs = driver.nowMs + ms;
    while (driver.wakeAtMs !== undefined && driver.wakeAtMs <= untilMs) {
      driver.nowMs = Math.max(driver.nowMs, driver.wakeAtMs);
      driver.wakeAtMs = undefined;
      this.act(({ session, nowMs }) => session.woke(nowMs));
    }
    driver.nowMs = untilMs;
  }

  /** Everything works from now on, for three minutes. After two of them sessions without a connection expire. */
  heal(): void {
    for (let seconds = 0; seconds < 180; seconds += 10) {
      if (seconds === 120) this.lapse();
      do this.open(); while (this.toServer(1) || this.toClient(1));
      this.pass(10_000);
    }
  }

  /** Another client sends a message, or edits the last one. */
  say(text: string): void {
    this.#tell({ uuid: this.#mint(), username: "bob", timestamp: 1, message: text, edited: false });
  }

  change(text: string): void {
    const message = this.messages.findLast(({ username }) => username === "bob");
    if (message === undefined) return;
    Object.assign(message, { message: text, edited: true });
    this.#broadcast(`c2/MSG bob; 1; ${message.uuid}; ${text}`);
  }

  #mint(): string {
    return uuidOf(this.messages.length + 1);
  }

  #tell(message: Message): void {
    this.messages.push(message);
    this.#broadcast(`c2/MSG ${message.username}; ${message.timestamp}; ${message.uuid}; ${message.message}`);
  }

  #broadcast(frame: string): void {
    // A plain client receives no JOIN.
    if (this.#isLive || !frame.startsWith("c2/JOIN")) this.log.push(frame);
    if (this.#socket?.session !== undefined) {
      if (this.#isLive || !frame.startsWith("c2/JOIN")) this.#socket.toClient.push(frame);
    }
  }

  #take(socket: Socket, frame: string): void {
    const answer = (text: string) => socket.toClient.push(text);
    const [, type, content = ""] = /^c2\/([A-Z]+)(?: (.*))?$/s.exec(frame) ?? [];
    const { session } = socket;
    if (type === "PING") return void answer("c2/PING 1");
    if (type === "RESUME") return this.#resume(socket, content);
    if (type === "CONNECT") return this.#connect(socket, content);
    if (session === undefined) return void answer("c2/ERROR Not connected: send c2/CONNECT username first");
    if (content === "roster" || content === "active_users") {
      return void answer("c2/ACKNOWLEDGE [alice,bob]");
    }
    if (content === "server_info") return void answer("c2/ACKNOWLEDGE {}");
    if (content.startsWith("history")) {
      const [, limit, before = "~"] = content.split("; ");
      const page = this.messages.filter(({ uuid }) => uuid < before).slice(-Number(limit));
      return void answer(`c2/ACKNOWLEDGE ${JSON.stringify(page)}`);
    }
    const [nonce, timestamp, text] = type === "SEND" ? content.split("; ") : ["", ...content.split("; ")];
    const known = session.nonces.get(nonce!);
    if (known !== undefined) return void answer(`c2/ACKNOWLEDGE ${nonce}; ${known}`);
    const uuid = this.#mint();
    if (type === "SEND") session.nonces.set(nonce!, uuid);
    answer(type === "SEND" ? `c2/ACKNOWLEDGE ${nonce}; ${uuid}` : "c2/ACKNOWLEDGE");
    this.#tell({ uuid, username: session.name, timestamp: Number(timestamp), message: text!, edited: false });
  }

  #connect(socket: Socket, name: string): void {
    const holder = [...this.#sessions.values()].find((other) => other.name === name && !other.isOver);
    if (holder !== undefined) {
      socket.toClient.push("c2/ERROR Username is in use, or looks like one that is: choose another");
      return;
    }
    socket.session = { name, nonces: new Map(), isOver: false };
    socket.toClient.push("c2/ACKNOWLEDGE Pub");
    this.#give(socket, socket.session, this.log.length);
    this.#broadcast(`c2/JOIN ${name}`);
  }

  #resume(socket: Socket, content: string): void {
    const [token = "", position = ""] = content.split("; ");
    const session = this.#sessions.get(token);
    if (session === undefined || session.isOver) {
      socket.toClient.push("c2/ERROR No such session: it was never here, or it has lapsed");
      return;
    }
    socket.session = session;
    socket.toClient.push("c2/ACKNOWLEDGE Pub");
    this.#give(socket, session, Number(position));
    socket.toClient.push(...this.log.slice(Number(position)));
  }

  #give(socket: Socket, session: ServerSession, position: number): void {
    const token = String(++this.#tokens).padStart(43, "0");
    this.#sessions.set(token, session);
    if (this.#isLive) socket.toClient.push(`c2/SESSION ${token}; ${position}`);
  }
}
