/**
 * Messages between nodes over core NATS, as JSON. What is none of them is dropped: the sender sends it again, or its
 * next beat follows.
 *
 * @module
 */
import { errors, type NatsConnection } from "@nats-io/transport-node";
import type { InputMessage } from "./inputs.ts";
import { wholeInputs } from "./whole_inputs.ts";
import {
  type ClusterWire,
  isInputMessage,
  isNodeBeat,
  isTypingNotice,
  type NodeBeat,
  type TypingNotice,
  type WireListener,
} from "./wire.ts";

/** Milliseconds for one page of a copy. */
const COPY_MS = 5000;
/** Bytes of a beat or a notice: those of a node have less than 2 KiB, and beats of 100 nodes are kept. */
export const SHORT_BYTES_MAX = 16 * 2 ** 10;

export class NatsWire implements ClusterWire {
  readonly #nats: NatsConnection;
  readonly #prefix: string;

  constructor(nats: NatsConnection, room: string) {
    this.#nats = nats;
    this.#prefix = `chatter.${room}`;
  }

  listen(node: string, { inputs, beat }: WireListener): () => void {
    const ends = [
      this.#subscribe(`in.${node}`, isInputMessage, (message) => inputs(wholeInputs(message))),
      this.#subscribe("beat", isNodeBeat, beat, SHORT_BYTES_MAX),
    ];
    return () => ends.forEach((end) => end());
  }

  send(to: string, message: InputMessage): void {
    this.#publish(`in.${to}`, message);
  }

  beat(beat: NodeBeat): void {
    this.#publish("beat", beat);
  }

  notify(notice: TypingNotice): void {
    this.#publish("aside", notice);
  }

  listenNotices(on: (notice: TypingNotice) => void): () => void {
    return this.#subscribe("aside", isTypingNotice, on, SHORT_BYTES_MAX);
  }

  answerCopies(subject: string, answer: (request: unknown) => Promise<unknown>): () => void {
    const subscription = this.#nats.subscribe(`${this.#prefix}.${subject}`, {
      // One of the nodes that are asked together.
      queue: "copies",
      callback: (error, message) => {
        if (error !== null) return;
        // Who asked asks another time.
        void Promise.resolve().then(() => answer(message.json()))
          .then((value) => message.respond(JSON.stringify(value))).catch(() => {});
      },
    });
    return () => subscription.unsubscribe();
  }

  async askForCopy(subject: string, request: unknown): Promise<unknown> {
    const options = { timeout: COPY_MS };
    try {
      const json = JSON.stringify(request);
      return (await this.#nats.request(`${this.#prefix}.${subject}`, json, options)).json();
    } catch (error) {
      const isAlone = error instanceof errors.RequestError && error.isNoResponders();
      throw new Error(isAlone ? "no other node runs" : "no node that is ready answers", { cause: error });
    }
  }

  #subscribe<Message>(
    subject: string,
    isMessage: (value: unknown) => value is Message,
    on: (message: Message) => void,
    bytesMax = Infinity,
  ): () => void {
    const subscription = this.#nats.subscribe(`${this.#prefix}.${subject}`, {
      callback: (error, message) => {
        if (error !== null || message.data.length > bytesMax) return;
        let parsed: unknown;
        try {
          parsed = message.json();
        } catch {
          return;
        }
        if (isMessage(parsed)) on(parsed);
      },
    });
    return () => subscription.unsubscribe();
  }

  #publish(subject: string, message: unknown): void {
    try {
      this.#nats.publish(`${this.#prefix}.${subject}`, JSON.stringify(message));
    } catch {
      // Without a connection it is lost, as the port allows.
    }
  }
}
