/**
 * The fences of the listing. fences_test.ts runs them.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Sampler } from "../../listing/registry/sampler.ts";
import { SocketProber } from "../../listing/probe/prober_socket.ts";
import { KvServerStore } from "../../listing/store/store_kv.ts";
import { openKv } from "../../src/kv/kv.ts";
import { broken, Bug } from "../support/broken.ts";
import { ListingUnderTest } from "../listing/listing_under_test.ts";
import { RECORD, sweep } from "../listing/registry/one_server_sweep.ts";
import { FaultPlan } from "./fault_plan.ts";
import { fence } from "./fence.ts";

fence("a request to the listing", "is answered 500, and the next as ever", async (log) => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(1);
  {
    using _bug = broken(listing.store, "get");
    const { status, text } = await listing.ask("DELETE", "/servers/1", { key });
    assertEquals([status, text.includes("Bug")], [500, false]);
    assertEquals((await listing.ask("DELETE", "/servers/1", { key })).status, 200);
  }
  assertEquals([log.errors(), log.stacks().length], [["bug http"], 1]);
});

fence(
  "an event stream of the listing",
  "is logged and ends that stream, and the next is told as ever",
  async (log) => {
    await using listing = await ListingUnderTest.start();
    await listing.index.refresh();
    const read = async () => (await listing.response("GET", "/events")).body!.getReader();
    const reader = await read();
    await reader.read();
    {
      using _bug = broken(listing.changes, "resetEvent");
      await assertRejects(() => reader.read(), Error, "the events could not be sent");
    }
    assertEquals([log.errors(), log.stacks().length, listing.events.size], [["bug events"], 1, 0]);
    const next = await read();
    await next.read();
    assertStringIncludes(new TextDecoder().decode((await next.read()).value), "event: reset");
    await next.cancel();
  },
);

fence("the listing's sweep", "is logged, and the next one checks all servers", async (log) => {
  const plan = new FaultPlan<{ readonly clock: { nowMs(): number } }>();
  const clock = plan.at("clock", { nowMs: () => Date.now() });
  plan.next("clock.nowMs");
  const checked = Promise.withResolvers<void>();
  const liveness = sweep(() => Promise.resolve(checked.resolve()), () => clock.nowMs());
  liveness.start();
  await checked.promise;
  await liveness.stop();
  assertEquals([log.errors(), log.stacks().length], [["bug sweep"], 1]);
});

fence("a check of a listed server", "is logged, and it is checked again", async (log) => {
  let checks = 0;
  const again = Promise.withResolvers<void>();
  const liveness = sweep(() => {
    if (++checks === 1) throw new Bug("in check");
    return Promise.resolve(again.resolve());
  });
  liveness.start();
  await again.promise;
  await liveness.stop();
  assertEquals([log.errors(), log.stacks().length], [["bug check"], 1]);
});

fence("a sample of the listed servers", "is logged, and the next one is taken", async (log) => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1, { connectedUsers: 3 });
  const plan = new FaultPlan<{ readonly clock: { nowMs(): number } }>();
  const clock = plan.at("clock", { nowMs: () => listing.nowMs });
  const taken = Promise.withResolvers<void>();
  const samples = {
    upTo: () => listing.samples.upTo(0),
    add: () => Promise.resolve(true).finally(() => taken.resolve()),
  };
  const sampler = new Sampler({ ...listing, samples, wallClock: () => clock.nowMs(), lookMs: 1 });
  plan.next("clock.nowMs");
  sampler.start();
  await taken.promise;
  await sampler.stop();
  assertEquals([log.errors(), log.stacks().length], [["bug sample"], 1]);
});

fence("the listing's ping", "is a ping without an answer", async (log) => {
  const prober = new SocketProber({
    resolve: () => Promise.resolve(["127.0.0.1"]),
    wallClock: () => {
      throw new Bug("in wallClock");
    },
    steadyClock: () => performance.now(),
    stopping: new AbortController().signal,
  });
  const address = { host: "localhost", port: 9, tls: false };
  const outcome = await prober.ping({ address, id: 1, origin: "127.0.0.1" });
  assertEquals(outcome.answered, false);
  assertEquals([log.errors(), log.stacks().length], [["bug prober"], 1]);
});

fence("the listing's store", "is that writer's, and the next write is as ever", async () => {
  using kv = await openKv(":memory:");
  const store = new KvServerStore(kv);
  let isBroken = true;
  store.onWrite(() => {
    if (isBroken) throw new Bug("in a listener");
  });
  await assertRejects(() => store.write(1, undefined, RECORD), Bug);
  isBroken = false;
  assert(await store.write(2, undefined, { ...RECORD, id: 2 }));
  assertEquals((await store.changesOfOthers())?.map(({ id }) => id), [1, 2]);
});
