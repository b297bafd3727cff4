/**
 * The status rows above the line: who is typing, and one with the server, its people and the connection. Pure;
 * prompt_screen.ts draws them.
 *
 * @module
 */
import type { SessionEvent } from "../../src/client/session/session_events.ts";

/** Milliseconds for which a user counts as typing after a TYPING frame. */
const TYPING_SHOWN_MS = 5000;
/** Typing users that are named; more are counted. */
const TYPISTS_MAX = 3;

export const TYPING_KEPT_MAX = 100;
/** UTF-16 units of a server's name that are kept: more than a valid name has. */
export const SERVER_NAME_MAX = 200;

type State = Extract<SessionEvent, { type: "state" }>;

/** How many are connected, and how many are away; undefined where the server does not say who joins. */
export type PeopleCount = { readonly here: number; readonly away: number } | undefined;

export class StatusRows {
  readonly #url: string;
  /** Names, each with the time when it lapses. */
  readonly #typing = new Map<string, number>();
  #serverName: string | undefined;
  #latencyMs: number | undefined;
  #state: State | undefined;
  #isLeaving = false;

  constructor(url: string) {
    this.#url = url;
  }

  get isLive(): boolean {
    return this.#state?.state === "live";
  }

  get isTimed(): boolean {
    return this.#typing.size > 0 || this.#state?.state === "waiting";
  }

  setState(state: State): void {
    this.#state = state;
    if (state.state === "live") return;
    // Typing frames may have been lost with the connection.
    this.#typing.clear();
    this.#latencyMs = undefined;
  }

  entered(serverName: string): void {
    this.#serverName = serverName.slice(0, SERVER_NAME_MAX);
  }

  answered(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  leaves(): void {
    this.#isLeaving = true;
  }

  types(name: string, nowMs: number): void {
    if (this.#typing.size >= TYPING_KEPT_MAX && !this.#typing.has(name)) return;
    this.#typing.set(name, nowMs + TYPING_SHOWN_MS);
  }

  typed(name: string): void {
    this.#typing.delete(name);
  }

  rows(nowMs: number, people: PeopleCount): string[] {
    for (const [name, untilMs] of this.#typing) if (nowMs >= untilMs) this.#typing.delete(name);
    return [...this.#typists(), ...this.#status(nowMs, people)];
  }

  #typists(): string[] {
    const names = [...this.#typing.keys()];
    if (names.length === 0) return [];
    if (names.length > TYPISTS_MAX) return [`${names.length} are typing`];
    return [`${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing`];
  }

  #status(nowMs: number, people: PeopleCount): string[] {
    const connection = this.#connection(nowMs);
    const server = this.#serverName === undefined ? [] : [this.#serverName];
    // First what matters: the end of the row is cut in a narrow window.
    const parts = this.isLive && !this.#isLeaving
      ? [...server, ...counted(people), ...connection]
      : [...connection, ...server];
    return parts.length === 0 ? [] : [parts.join(" · ")];
  }

  #connection(nowMs: number): string[] {
    if (this.#isLeaving) return ["leaving"];
    switch (this.#state?.state) {
      case "opening":
      case "entering":
        return [this.#serverName === undefined ? `connecting to ${this.#url}` : "connecting"];
      case "waiting": {
        const seconds = Math.max(0, Math.ceil((this.#state.untilMs - nowMs) / 1000));
        return [`no connection; next try in ${seconds} s`];
      }
      case "live":
        return [this.#latencyMs === undefined ? "connected" : `${Math.round(this.#latencyMs)} ms`];
      default:
        return [];
    }
  }
}

function counted(people: PeopleCount): string[] {
  if (people === undefined) return [];
  return [`${people.here} here${people.away === 0 ? "" : `, ${people.away} away`}`];
}
