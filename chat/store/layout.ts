/**
 * Which rows a chat server reads and writes, ARCHITECTURE.md "Storage".
 *
 * @module
 */
import type { Layout } from "../../src/kv/kv.ts";

export const LAYOUT: Layout = { role: "chat", version: 2 };
