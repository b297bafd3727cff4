/**
 * The rows above the line that tell how things stand: who is typing, and that there is no connection.
 *
 * Pure.
 *
 * @module
 */
import type { SessionEvent } from "../../src/client/session/session_events.ts";

/** Milliseconds for which somebody counts as typing who was said to be. */
const TYPING_SHOWN_MS = 5000;
/** Who are named of those who are typing; of others the number is. */
const TYPISTS_MAX = 3;

/** Who are kept in mind of those who are typing. More are not read by anybody. */
export const TYPING_KEPT_MAX = 100;

type State = Extract<SessionEvent, { type: "state" }>;

export class StandingRows {
  readonly #url: string;
  /** Names, and until when. */
  readonly #typing = new Map<string, number>();
  #state: State | undefined;
  #isLeaving = false;

  constructor(url: string) {
    this.#url = url;
  }

  get isLive(): boolean {
    return this.#state?.state === "live";
  }

  /** Whether the rows are other ones by and by. */
  get isTimed(): boolean {
    return this.#typing.size > 0 || this.#state?.state === "waiting";
  }

  stands(state: State): void {
    this.#state = state;
    // Who was typing before is not known to be now.
    if (state.state !== "live") this.#typing.clear();
  }

  leaves(): void {
    this.#isLeaving = true;
  }

  types(name: string, nowMs: number): void {
    if (this.#typing.size >= TYPING_KEPT_MAX && !this.#typing.has(name)) return;
    this.#typing.set(name, nowMs + TYPING_SHOWN_MS);
  }

  /** Somebody has sent what was being typed, or is gone. */
  typed(name: string): void {
    this.#typing.delete(name);
  }

  rows(nowMs: number): string[] {
    for (const [name, untilMs] of this.#typing) if (nowMs >= untilMs) this.#typing.delete(name);
    return [...this.#typists(), ...this.#connection(nowMs)];
  }

  #typists(): string[] {
    const names = [...this.#typing.keys()];
    if (names.length === 0) return [];
    if (names.length > TYPISTS_MAX) return [`${names.length} are typing`];
    return [`${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing`];
  }

  #connection(nowMs: number): string[] {
    if (this.#isLeaving) return ["leaving"];
    switch (this.#state?.state) {
      case "opening":
      case "entering":
        return [`connecting to ${this.#url}`];
      case "waiting":
        return [
          `no connection; next try in ${Math.max(0, Math.ceil((this.#state.untilMs - nowMs) / 1000))} s`,
        ];
      default:
        return [];
    }
  }
}
