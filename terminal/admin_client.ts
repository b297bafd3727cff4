/**
 * The HTTP requests of `chatter admin` to the admin API, docs/admin_api.md §11.2, each with a time limit. admin.ts
 * decides what to ask and how to show the answer.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import type { z } from "zod";
import { type Problem, reasonOf } from "./problem.ts";
import { printable } from "./screen/table.ts";

/** Seconds for one request: a ban waits for one commit of the server's store. */
const REQUEST_SECONDS_MAX = 10;
const OBJECTION_LENGTH_MAX = 400;

export class AdminClient {
  readonly #server: string;
  readonly #token: string;

  /** `server` is the base URL without a slash at its end. */
  constructor(server: string, token: string) {
    this.#server = server;
    this.#token = token;
  }

  /** Sends a request below `/admin`, and parses the answer by `schema`. */
  async ask<T>(
    method: "GET" | "POST" | "DELETE",
    path: string,
    schema: z.ZodType<T>,
    body?: object,
  ): Promise<T | Problem> {
    const abort = new AbortController();
    const timer = setTimeout(
      () => abort.abort(new Error(`no answer within ${REQUEST_SECONDS_MAX} s`)),
      REQUEST_SECONDS_MAX * 1000,
    );
    try {
      const response = await fetch(`${this.#server}/admin/${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token is for this server only.
        redirect: "manual",
        signal: abort.signal,
      });
      const text = await response.text();
      if (!response.ok) {
        const refusal = response.headers.get("chatter-refusal") ?? undefined;
        return { problem: this.#reasonText(response, text), refusal };
      }
      const read = schema.safeParse(parsed(text));
      return read.success
        ? read.data
        : { problem: `${this.#server} is not a Chatter chat server, or has another version` };
    } catch (error) {
      return { problem: `Cannot reach ${this.#server}: ${reasonOf(error)}` };
    } finally {
      clearTimeout(timer);
    }
  }

  #reasonText({ status, headers }: Response, text: string): string {
    // The API sets this header on each answer; without it another service answered.
    if (headers.get("cache-control") !== "no-store") {
      return status === STATUS_CODE.NotFound
        ? `${this.#server} has no admin API: start the chat server with --admin-token`
        : `${this.#server} answered ${status} and is not a Chatter chat server`;
    }
    if (headers.get("chatter-refusal") === "TOKEN_REFUSED") {
      return `${this.#server} refused the token: --token or CHATTER_ADMIN_TOKEN must be its --admin-token`;
    }
    return `${this.#server} refused: ${printable(text.trim().slice(0, OBJECTION_LENGTH_MAX))}`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
