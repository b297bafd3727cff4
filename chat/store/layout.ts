/**
 * The version of a chat server's rows in Deno KV, docs/storage.md.
 *
 * @module
 */
import type { Layout } from "../../src/kv/kv.ts";

export const LAYOUT: Layout = { role: "chat", version: 2 };
