/**
 * The version of a chat server's rows in Deno KV, docs/storage.md.
 *
 * @module
 */
import type { Layout } from "../../src/kv/kv.ts";

/** Layout 2 had no time of receipt: segment.ts reads it, and writes layout 3. */
export const LAYOUT: Layout = { role: "chat", version: 3, readsFrom: 2 };
