/**
 * The routes that export a running server's store in pages, docs/admin_api.md §11.4. The token was checked before;
 * export.ts makes the rows.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Logger } from "../../src/logging/log.ts";
import type { ExportSource } from "../../src/kv/transfer.ts";
import type { AdminBindings } from "./mount.ts";
import { type AdminRefusal, refuseAdmin } from "./refusals.ts";

/** Characters of a cursor: a word and an id. */
const CURSOR_LENGTH_MAX = 64;

const pageQuerySchema = z.strictObject({
  cursor: z.string().max(CURSOR_LENGTH_MAX).optional(),
  keys: z.enum(["1"]).optional(),
});

/** Errors of a bug: Deno KV rejects with a plain error, save for wrong arguments. */
const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError];

export interface ExportRoutesOptions {
  readonly source: ExportSource;
  readonly refuse: (c: Context, refusal: AdminRefusal) => Response;
  readonly log: Logger;
}

export function exportRoutes(
  { source, refuse, log }: ExportRoutesOptions,
): Hono<{ Bindings: AdminBindings }> {
  const app = new Hono<{ Bindings: AdminBindings }>();

  app.get("/store", (c) => fenced(c, async () => c.json(await source.describe())));

  app.get("/export", (c) =>
    fenced(c, async () => {
      const query = pageQuerySchema.safeParse(c.req.query());
      if (!query.success) return refuse(c, refuseAdmin("QUERY_MALFORMED", "cursor and keys=1 are allowed"));
      const { cursor, keys } = query.data;
      if (cursor === undefined) {
        log.info("admin.exported", { by: c.env.remoteAddress, keys: keys !== undefined });
      }
      const { rows, next } = await source.page(cursor, keys !== undefined);
      return c.json({ rows, next: next ?? null });
    }));

  /** Answers a store that fails with a refusal. A bug is thrown to the fence of all routes. */
  async function fenced(c: Context, answer: () => Promise<Response>): Promise<Response> {
    try {
      return await answer();
    } catch (error) {
      if (BUGS.some((kind) => error instanceof kind)) throw error;
      // For example `database or disk is full`.
      log.error("admin.export_failed", { error });
      return refuse(c, refuseAdmin("STORE_FAILED"));
    }
  }

  return app;
}
