/**
 * The application mounted under `/admin`, docs/admin_api.md §11: its type, its body limit, and what answers if the API
 * is off. The API itself, admin_api.ts, is loaded only if there is a token: its schema library takes a fifth of a
 * start.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import { Hono } from "hono";

export interface AdminBindings {
  readonly remoteAddress: string;
}

export type AdminApp = Hono<{ Bindings: AdminBindings }>;

export function adminIsOff(): AdminApp {
  const app: AdminApp = new Hono<{ Bindings: AdminBindings }>();
  app.all("*", (c) => c.notFound());
  return app;
}

/** Bytes of a request body beside an announcement's text. A ban takes under 3 KiB, however it is escaped. */
const BODY_BYTES_BASE = 4096;
/** Bytes of one announcement character in JSON, escaped as two surrogates. */
const BODY_BYTES_PER_CHARACTER = 12;

/** Bytes of a request body at most. It is read only after the token was checked. */
export function adminBodyBytesMax({ maxMessageLength }: Limits): number {
  return BODY_BYTES_BASE + BODY_BYTES_PER_CHARACTER * maxMessageLength;
}
