/**
 * What is mounted under `/admin`, PROTOCOL.md §11: its shape, and what stands there where the API is off.
 *
 * The API itself is admin.ts. It judges by schemas, whose library takes a fifth of a start, so it is loaded where there
 * is a token.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import { Hono } from "hono";

/** What the transport knows of a request beyond the request. */
export interface AdminBindings {
  readonly remoteAddress: string;
}

export type AdminApp = Hono<{ Bindings: AdminBindings }>;

/** Answers as if it were not there. */
export function adminIsOff(): AdminApp {
  const app: AdminApp = new Hono<{ Bindings: AdminBindings }>();
  app.all("*", (c) => c.notFound());
  return app;
}

/** Bytes of a request's body without an announcement's text: a ban has under 3 KiB however it is escaped. */
const BODY_BYTES_BASE = 4096;
/** Bytes of one character of an announcement in JSON, where it is escaped as two halves. */
const BODY_BYTES_PER_CHARACTER = 12;

/** Bytes of a request's body at the most. Only who has the token gets as far as a body. */
export function adminBodyBytesMax({ maxMessageLength }: Limits): number {
  return BODY_BYTES_BASE + BODY_BYTES_PER_CHARACTER * maxMessageLength;
}
