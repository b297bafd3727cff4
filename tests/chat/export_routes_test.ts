/**
 * The routes of export and import where their store fails, and where they do: what comes of the rows is
 * transfer_test.ts's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { httpFence } from "../../chat/gateway/http_app.ts";
import { exportRoutes } from "../../chat/admin/export_routes.ts";
import type { Transfer } from "../../src/kv/transfer.ts";
import { recordedLog } from "../support/recorded_log.ts";

const ASKED = [["GET", "/store"], ["GET", "/export"], ["POST", "/import"]] as const;

/** The statuses that are answered where each request to the store rejects with `error`, and what is logged. */
async function askedWhile(error: Error) {
  const { log, lines } = recordedLog();
  const fail = () => Promise.reject(error);
  const transfer: Transfer = { describe: fail, page: fail, take: fail };
  const app = exportRoutes({
    transfer,
    readRows: () => Promise.resolve([]),
    refuse: (c, { refusal, status }) => c.text(refusal, status),
    log,
  });
  app.onError(httpFence(log));
  const answers = [];
  for (const [method, path] of ASKED) {
    const response = await app.fetch(new Request(`http://x${path}`, { method }), {
      remoteAddress: "192.0.2.1",
    });
    answers.push(`${response.status} ${(await response.text()).trim()}`);
  }
  return { answers, logged: lines.map(({ event }) => event).filter((event) => event !== "admin.exported") };
}

Deno.test("a store that fails is a refusal that says so", async () => {
  const { answers, logged } = await askedWhile(new Error("database or disk is full"));
  assertEquals(answers, Array(3).fill("503 STORE_FAILED"));
  assertEquals(logged, Array(3).fill("transfer.store_failed"));
});

Deno.test("a bug is not taken for a store that fails", async () => {
  const { answers, logged } = await askedWhile(new TypeError("undefined is not a function"));
  assertEquals(answers, Array(3).fill("500 Internal error"));
  assertEquals(logged, Array(3).fill("bug"));
});
