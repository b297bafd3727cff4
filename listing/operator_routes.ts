/**
 * What whoever runs a listing asks it, PROTOCOL.md §9.1: whether it is alive, whether it can work, what it has counted.
 *
 * None of it is part of `/openapi.json`, which is for those who use a listing.
 *
 * @module
 */
import type { ListingApp } from "./http/app.ts";
import type { AnswerMetrics } from "../src/metrics/route.ts";
import { answersInTime } from "../src/kv/store.ts";
import type { ServerStore } from "./store/store.ts";

export interface OperatorParts {
  readonly store: ServerStore;
  readonly metrics: AnswerMetrics;
}

export function addOperatorRoutes(app: ListingApp, { store, metrics }: OperatorParts): void {
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/readyz", async (c) => {
    return await answersInTime(() => store.probe()) ? c.text("ok") : c.text("The store does not answer", 503);
  });
  app.get("/metrics", (c) => metrics(c.req.raw, c.env.peer));
}
