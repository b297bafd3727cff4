/**
 * Messages between nodes over core NATS, as JSON. A message that is no JSON is dropped: the sender sends it again, or
 * its next beat follows.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { InputMessage } from "./inputs.ts";
import type { Beat } from "./member.ts";
import type { ClusterWire, WireListener } from "./wire.ts";

export class NatsWire implements ClusterWire {
  readonly #nats: NatsConnection;
  readonly #prefix: string;

  constructor(nats: NatsConnection, room: string) {
    this.#nats = nats;
    this.#prefix = `chatter.${room}`;
  }

  listen(node: string, { inputs, beat }: WireListener): void {
    this.#subscribe(`in.${node}`, inputs);
    this.#subscribe("beat", beat);
  }

  send(to: string, message: InputMessage): void {
    this.#publish(`in.${to}`, message);
  }

  beat(beat: Beat): void {
    this.#publish("beat", beat);
  }

  #subscribe<Message>(subject: string, on: (message: Message) => void): void {
    this.#nats.subscribe(`${this.#prefix}.${subject}`, {
      callback: (error, message) => {
        if (error !== null) return;
        let parsed: Message;
        try {
          parsed = message.json();
        } catch {
          return;
        }
        on(parsed);
      },
    });
  }

  #publish(subject: string, message: unknown): void {
    try {
      this.#nats.publish(`${this.#prefix}.${subject}`, JSON.stringify(message));
    } catch {
      // Without a connection it is lost, as the port allows.
    }
  }
}
