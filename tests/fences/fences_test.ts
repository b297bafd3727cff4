/**
 * A bug at each entry point of the program: it is logged with its stack, answered to its sender if there is one, and
 * all others go on. The entry points are exactly those of docs/fences.md.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { tried } from "./fence.ts";
import "./chat_fences.ts";
import "./thread_fences.ts";
import "./cluster_fences.ts";
import "./listing_fences.ts";
import "./process_fences.ts";

Deno.test("docs/fences.md lists the entry points that are tried here, all of them and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/fences.md", import.meta.url));
  const [, table = ""] = /\n\| a bug in +\|.*\n\| -+ .*\n((?:\|.*\n)+)/.exec(text) ?? [];
  const listed = table.trim().split("\n").map((row) => row.split("|")[1]?.trim());
  assertEquals(listed.toSorted(), [...tried].toSorted());
});
