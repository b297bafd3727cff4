/**
 * What is mounted under `/admin`, PROTOCOL.md §11: its shape, and what stands there where the API is off.
 *
 * The API itself is admin.ts. It judges by schemas, whose library takes a fifth of a start, so it is loaded where there
 * is a token.
 *
 * @module
 */
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
