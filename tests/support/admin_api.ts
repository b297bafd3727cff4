/**
 * Requests to a chat server's admin API, with the token of the tests' servers.
 *
 * @module
 */

export const TOKEN = "correct-horse-battery-staple";

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The answer as JSON; undefined if it is not JSON. */
  // deno-lint-ignore no-explicit-any -- what it holds is the test's to compare
  readonly json: any;
}

export class AdminApi {
  readonly #base: string;
  readonly #token: string;

  constructor(serverUrl: string, token = TOKEN) {
    this.#base = `${serverUrl.replace(/\/$/, "")}/admin/`;
    this.#token = token;
  }

  get(path: string): Promise<AdminAnswer> {
    return this.#ask("GET", path);
  }

  delete(path: string): Promise<AdminAnswer> {
    return this.#ask("DELETE", path);
  }

  post(path: string, body: unknown): Promise<AdminAnswer> {
    return this.#ask("POST", path, JSON.stringify(body));
  }

  /** Sends a body as it is; a stream is sent without its length. */
  postRaw(path: string, body: BodyInit): Promise<AdminAnswer> {
    return this.#ask("POST", path, body);
  }

  async #ask(method: string, path: string, body?: BodyInit): Promise<AdminAnswer> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
