/**
 * A chat session of the client over real WebSockets and timers: it runs until the test ends it, and keeps its events.
 *
 * @module
 */
import { SessionDriver } from "../../src/client/session_driver.ts";
import type { SessionEvent } from "../../src/client/session/session_events.ts";

export class SocketSession extends SessionDriver {
  readonly events: SessionEvent[] = [];
  /** Resolves when it is over. */
  readonly over: Promise<void>;

  /** `onEvent` is called after each event. */
  constructor(url: string, name: string, onEvent: (session: SocketSession) => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    super({
      url: url.replace(/^http/, "ws"),
      onEvent: (event) => {
        this.events.push(event);
        onEvent(this);
        if (event.type !== "state") return;
        // A test does not wait for the next try.
        if (event.state === "waiting") queueMicrotask(() => this.hint());
        if (event.state === "over") resolve();
      },
    });
    this.over = promise;
    this.join(name);
  }
}
