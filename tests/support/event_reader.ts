/**
 * Reads server-sent events like a browser: fields, comments, the delay before a reconnect. It does not reconnect
 * itself.
 *
 * @module
 */

export interface ReceivedEvent {
  readonly id: string;
  readonly name: string;
  // deno-lint-ignore no-explicit-any -- what it is depends on the event
  readonly data: any;
}

export class EventReader implements AsyncDisposable {
  /** The delay that `retry:` asked for, in milliseconds. */
  retryMs: number | undefined;
  comments = 0;
  lastEventId = "";
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Opens `url`; throws if it is no stream of events. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const response = await fetch(url, { headers });
    const type = response.headers.get("content-type");
    if (response.status !== 200 || type !== "text/event-stream; charset=utf-8") {
      throw new Error(`${url} answered ${response.status}, ${type}: ${await response.text()}`);
    }
    return new EventReader(response.body!);
  }

  /** The next event; undefined if the stream has ended. */
  async next(): Promise<ReceivedEvent | undefined> {
    while (true) {
      const block = await this.#block();
      if (block === undefined) return undefined;
      const fields = new Map(
        block.split("\n").map((line) => [line.split(":", 1)[0]!, line.slice(line.indexOf(":") + 1).trim()]),
      );
      if (fields.has("")) this.comments++;
      const retry = fields.get("retry");
      if (retry !== undefined) this.retryMs = Number(retry);
      const data = fields.get("data");
      if (data === undefined) continue;
      this.lastEventId = fields.get("id") ?? this.lastEventId;
      return { id: this.lastEventId, name: fields.get("event") ?? "message", data: JSON.parse(data) };
    }
  }

  /** So many events. */
  async take(count: number): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`the stream ended after ${events.length} of ${count} events`);
      events.push(event);
    }
    return events;
  }

  async #block(): Promise<string | undefined> {
    while (!this.#text.includes("\n\n")) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
    const end = this.#text.indexOf("\n\n");
    const block = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return block;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
