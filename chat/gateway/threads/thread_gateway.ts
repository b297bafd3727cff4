/**
 * A gateway on its own thread: submits its sessions' inputs to the sequencer's thread and applies turns in order. It
 * asks that thread for admission, readiness and admin requests, and decides none of them.
 *
 * @module
 */
import { forwardLog, type Logger, logger } from "../../../src/logging/log.ts";
import { Fanout } from "../../delivery/fanout.ts";
import type { Participant } from "../../delivery/participant.ts";
import { toFrame } from "../../room/frame.ts";
import {
  causeAt,
  Downlink,
  FIELD_COUNT,
  type GatewayCalls,
  type GatewayStart,
  type Packed,
  placeOf,
  type PlainRequest,
  type SequencerCalls,
  type SessionNumber,
  Uplink,
} from "./messages.ts";
import { setImmediate } from "node:timers";
import { steadyClock } from "../../../src/clock.ts";
import { CHAT_WEB_FOLDERS, WebAssets } from "../../../src/serving/web_assets.ts";
import { Admission, type AdmissionRules } from "../admission.ts";
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import { type Gate, Gateway } from "../gateway.ts";
import { ChatMeters } from "../../meters.ts";
import type { Input } from "../../room/decision.ts";
import type { Session } from "../session.ts";
import { pageTexts, type Settings, SettingsInForce } from "../../settings.ts";
import { type CallMessage, Calls } from "./rpc.ts";
import { handedOn, handOn } from "./http_forwarding.ts";
import type { StartTransport, TransportName } from "../../sockets/transport.ts";

export type Transports = Readonly<Record<TransportName, StartTransport>>;

export class ThreadGateway {
  /** Kept but unused: it closes with the thread, which tells the other end that the thread is gone. */
  readonly lifeline: MessagePort;
  readonly #post: (message: Packed | CallMessage) => void;
  readonly #transports: Transports;
  readonly #calls: Calls<SequencerCalls, GatewayCalls>;
  readonly #sessions = new Map<SessionNumber, Session>();
  readonly #numbers = new Map<Participant, SessionNumber>();
  readonly #meters = new ChatMeters();
  readonly #fanout: Fanout;
  readonly #reader: DownlinkReader;
  #settings: SettingsInForce | undefined;
  #gateway: Gateway | undefined;
  #sessionNumber = 0;
  #appliedTurns = 0;
  #submitted: Packed = [0];
  #isDue = false;

  /** `post` sends to the sequencer's thread. */
  constructor(post: (message: Packed | CallMessage) => void, transports: Transports, lifeline: MessagePort) {
    this.lifeline = lifeline;
    const log = logger("chat");
    this.#post = post;
    this.#transports = transports;
    this.#fanout = new Fanout({ meters: this.#meters, steadyMs: steadyClock, log });
    this.#reader = new DownlinkReader(this.#fanout, this.#sessions, log);
    this.#calls = new Calls<SequencerCalls, GatewayCalls>(post, {
      open: (start, settings) => this.#open(start, settings),
      reconfigure: (settings) => this.#reconfigure(settings),
      renewTls: async (tls) => await this.#gateway?.renewTls(tls) ?? false,
      refuse: () => this.#gateway?.refuse(),
      flushInbound: () => this.#flushInbound(),
      close: () => this.#close(),
      meters: () => this.#gateway === undefined ? [] : this.#meters.numbers(),
    });
  }

  /** Receives a message of the sequencer's thread. */
  receive(message: Packed | CallMessage): void {
    if (!Array.isArray(message)) return this.#calls.receive(message);
    this.#reader.apply(message);
    this.#appliedTurns++;
    // Acknowledges the turn, even if there is no input.
    this.#submitSoon();
  }

  async #open(start: GatewayStart, plain: Settings): Promise<number> {
    const { logLevel, transport, isAdministered } = start;
    if (logLevel !== undefined) await forwardLog(logLevel, (line) => void this.#calls.ask("log", line));
    const settings = new SettingsInForce(plain);
    this.#settings = settings;
    const answer = (request: PlainRequest) => this.#calls.ask("answer", request);
    this.#gateway = await Gateway.open({
      ...start,
      settings,
      transport: this.#transports[transport],
      inbox: {
        submit: (session, input) => this.#submit(session, input),
        elsewhere: { end: (session, cause) => this.#end(session, cause) },
      },
      register: {
        opened: (session) => this.#opened(session),
        over: (session) => this.#over(session),
      },
      admission: this.#gate(settings),
      admin: handedOn({ isAdministered, limits: settings.limits, answer }),
      metrics: (request, address) => handOn(answer, request, address),
      meters: this.#meters,
      isReady: () => this.#calls.ask("isReady"),
      countUsers: () => this.#calls.ask("countUsers"),
      assets: WebAssets.load(CHAT_WEB_FOLDERS, pageTexts(settings)),
      log: logger("chat"),
    });
    return this.#gateway.port;
  }

  #reconfigure(settings: Settings): void {
    this.#settings?.apply(settings);
    void this.#gateway?.reconfigured();
  }

  #flushInbound(): void {
    this.#gateway?.stopReading();
    this.#submitNow();
  }

  async #close(): Promise<void> {
    await this.#gateway?.close();
    this.#submitNow();
  }

  #opened(session: Session): void {
    const number = ++this.#sessionNumber;
    const { id, isExtended, remoteAddress } = session;
    this.#sessions.set(number, session);
    this.#numbers.set(session, number);
    this.#submitted.push(Uplink.opened, number, id, isExtended ? 1 : 0, remoteAddress);
    // At once, because an operator may next ban its address through another gateway.
    this.#submitNow();
  }

  #over(session: Session): void {
    const number = this.#numbers.get(session)!;
    // Later turns find no such session.
    this.#fanout.delete(session);
    this.#sessions.delete(number);
    this.#numbers.delete(session);
    this.#submitted.push(Uplink.over, number);
    this.#submitSoon();
  }

  #submit(session: Participant, input: Input): void {
    const number = this.#numbers.get(session)!;
    if (input.type === "MSG") this.#submitted.push(Uplink.message, number, input.timestamp, input.text);
    else this.#submitted.push(Uplink.input, number, input);
    this.#submitSoon();
  }

  #end(session: Participant, cause: CloseCause): void {
    this.#submitted.push(Uplink.end, this.#numbers.get(session)!, placeOf(cause));
    this.#submitSoon();
  }

  /** Collects the inputs of one round of the event loop into one message. */
  #submitSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#submitNow());
  }

  #submitNow(): void {
    this.#isDue = false;
    const submitted = this.#submitted;
    submitted[0] = this.#appliedTurns;
    this.#submitted = [0];
    this.#post(submitted);
  }

  /** Sockets are counted on the sequencer's thread, which gets the ticket back. */
  #gate(rules: AdmissionRules): Gate {
    const admission = new Admission(rules);
    return {
      addressOf: (peerAddress, forwardedFor) => admission.addressOf(peerAddress, forwardedFor),
      httpLimitOf: (peerAddress) => admission.httpLimitOf(peerAddress),
      shareOf: () => undefined,
      admit: async (remoteAddress) => {
        const answer = await this.#calls.ask("admit", remoteAddress);
        if (!answer.isAdmitted) return answer;
        let isCounted = true;
        const leave = () => {
          if (!isCounted) return;
          isCounted = false;
          this.#submitted.push(Uplink.left, answer.ticket);
          // At once, because the same client may next connect through another gateway.
          this.#submitNow();
        };
        return { isAdmitted: true, leave };
      },
    };
  }
}

export class DownlinkReader {
  readonly #fanout: Fanout;
  readonly #sessions: ReadonlyMap<SessionNumber, Participant>;
  readonly #log: Logger;

  constructor(fanout: Fanout, sessions: ReadonlyMap<SessionNumber, Participant>, log: Logger) {
    this.#fanout = fanout;
    this.#sessions = sessions;
    this.#log = log;
  }

  apply(turn: Packed): void {
    for (let at = 0; at < turn.length; at += FIELD_COUNT[turn[at] as number] ?? turn.length) {
      try {
        this.#applyOne(turn, at);
      } catch (error) {
        // The fence: other sessions still get the turn.
        this.#log.error("bug", { where: "tell", error });
        const session = this.#sessions.get(turn[at + 1] as SessionNumber);
        if (session !== undefined) this.#fanout.endBroken(session);
      }
    }
    this.#fanout.flush();
  }

  #applyOne(turn: Packed, at: number): void {
    const fanout = this.#fanout;
    const kind = turn[at];
    if (kind === Downlink.all) return fanout.broadcast(toFrame(turn[at + 1] as string));
    if (kind === Downlink.live) return fanout.broadcastExtended(toFrame(turn[at + 1] as string));
    if (kind === Downlink.plain) return fanout.broadcastPlain(toFrame(turn[at + 1] as string));
    const session = this.#sessions.get(turn[at + 1] as SessionNumber);
    if (kind === Downlink.liveBut) {
      return fanout.broadcastExtendedBut(session, toFrame(turn[at + 2] as string));
    }
    if (session === undefined) return;
    switch (kind) {
      case Downlink.one:
        return fanout.send(session, toFrame(turn[at + 2] as string));
      case Downlink.add:
        return fanout.add(session);
      case Downlink.remove:
        return fanout.delete(session);
      case Downlink.joined:
        return session.joined();
      case Downlink.settled:
        return session.settled();
      case Downlink.end:
        return fanout.end(session, causeAt(turn[at + 2] as number));
      default:
        throw new Error(`a turn has an unknown entry: ${kind}`);
    }
  }
}
