/**
 * The version of a chat server's rows in Deno KV, ARCHITECTURE.md "Storage".
 *
 * @module
 */
import type { Layout } from "../../src/kv/kv.ts";

export const LAYOUT: Layout = { role: "chat", version: 2 };
