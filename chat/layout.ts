/**
 * Which rows a chat server reads and writes: the version that its store has to say, ARCHITECTURE.md "Storage".
 *
 * @module
 */
import type { Layout } from "../src/kv/kv.ts";

export const LAYOUT: Layout = { role: "chat", version: 2 };
