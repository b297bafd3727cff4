/**
 * When a registration sends what to a listing, and that no answer or silence of the listing causes more than a retry.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  changesBetween,
  RETRY_SECONDS_MAX,
  RETRY_UNREACHABLE_SECONDS_MAX,
  retryDelayMs,
  UNREACHABLE_AT_START_MAX,
} from "../../../chat/announce/registration.ts";
import { runs } from "../../support/property_runs.ts";
import { promisesSettled, registrationTest, URL_OF_LISTING } from "../../support/registration_stage.ts";

Deno.test("retryDelayMs() doubles from 1 s to the longest, the last quarter at random", () => {
  const cases: [failures: number, longest: number, random: number, ms: number][] = [
    [1, 30, 0, 1000],
    [1, 30, 0.999, 1000],
    [2, 30, 0, 1500],
    [2, 30, 1, 2000],
    [3, 30, 0, 3000],
    [3, 30, 1, 4000],
    [4, 30, 0.5, 7000],
    [5, 30, 1, 16_000],
    [6, 30, 0, 22_500],
    [6, 30, 1, 30_000],
    [7, 30, 1, 30_000],
    [100_000, 30, 1, 30_000],
    [4, 8, 0, 6000],
    [4, 8, 1, 8000],
    [5, 8, 1, 8000],
  ];
  for (const [failures, longest, random, ms] of cases) {
    assertEquals(retryDelayMs(failures, longest, random), ms, `${failures} failures`);
  }
});

Deno.test("retryDelayMs() is from 1 s to 30 s, and to 8 s for a listing that does not answer", () => {
  const failures = fc.integer({ min: 1, max: 5000 });
  const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  fc.assert(
    fc.property(failures, random, (failures, random) => {
      for (const longest of [RETRY_SECONDS_MAX, RETRY_UNREACHABLE_SECONDS_MAX]) {
        const ms = retryDelayMs(failures, longest, random);
        assertGreaterOrEqual(ms, 1000);
        assertLessOrEqual(ms, longest * 1000);
      }
    }),
    runs(200),
  );
  assertEquals([RETRY_SECONDS_MAX, RETRY_UNREACHABLE_SECONDS_MAX], [30, 8]);
});

Deno.test("changesBetween() names the properties whose values differ", () => {
  const earlier = { serverName: "Pub", connectedUsers: 1 };
  assertEquals(changesBetween(earlier, earlier), {});
  assertEquals(changesBetween(earlier, { ...earlier, connectedUsers: 0 }), { connectedUsers: 0 });
  assertEquals(changesBetween(earlier, { ...earlier, address: ":1", serverName: "Bar" }), {
    address: ":1",
    serverName: "Bar",
  });
  const saying = { ...earlier, description: "a pub", tags: ["a", "b"], language: "en" };
  assertEquals(changesBetween(saying, { ...saying, tags: ["a", "b"] }), {});
  assertEquals(changesBetween(saying, { ...saying, tags: ["b"] }), { tags: ["b"] });
  const silent = { description: "", tags: [], language: "" };
  assertEquals(changesBetween(saying, earlier), silent);
  assertEquals(changesBetween({ ...saying, ...silent }, earlier), {});
});

registrationTest(
  "registers at once with all that the server says of itself, and keeps the key",
  async (stage) => {
    await stage.start();
    const { method, body, key, answer } = stage.next();
    assertEquals([method, key], ["POST", undefined]);
    assertEquals(body, { serverName: "Pub", address: ":5000", connectedUsers: 0, maxUsers: 50 });
    await answer(201, "the-key\n");
    assertEquals(stage.keys.kept.get(URL_OF_LISTING), "the-key");
    assertEquals(stage.log.lines, [
      { level: "info", event: "listing.registered", properties: { listing: URL_OF_LISTING } },
    ]);
  },
);

registrationTest("registers without its description where a listing refuses that", async (stage) => {
  stage.now = { ...stage.now, description: "a pub", tags: ["beer"], language: "en" };
  await stage.start();
  const first = stage.next();
  assertEquals(first.body, stage.now);
  // As a listing from before these properties answers.
  await first.answer(400, 'The body is malformed: Unrecognized keys: "description", "tags", "language"');
  const second = stage.next();
  assertEquals(second.body, { serverName: "Pub", address: ":5000", connectedUsers: 0, maxUsers: 50 });
  await second.answer(201, "the-key");
  await stage.change({ description: "another pub", connectedUsers: 1 });
  const put = await stage.nextAfter(1);
  assertEquals(put.body, { connectedUsers: 1 });
  assertEquals(stage.log.events("warn"), []);
  // The listing is a newer one by now.
  await put.answer(400, "no such server");
  assertEquals((await stage.nextAfter(1)).body?.description, "another pub");
});

registrationTest("does not repeat a refusal of anything else", async (stage) => {
  stage.now = { ...stage.now, description: "a pub" };
  await stage.start();
  await stage.next().answer(400, "The address was refused, because no server answered a ping there.");
  assertEquals((await stage.nextAfter(1)).body?.description, "a pub");
});

registrationTest("logs neither its key nor its proof, which an answer may repeat", async (stage) => {
  stage.keys.kept.set(URL_OF_LISTING, "old-key");
  await stage.start();
  await stage.next().answer(400, "no old-key, no the-proof");
  const [line] = stage.log.lines;
  assertEquals(line?.properties["answer"], "status 400: no (the key), no (the proof)");
});

registrationTest("registers with the key of an earlier run", async (stage) => {
  stage.keys.kept.set(URL_OF_LISTING, "old-key");
  await stage.start();
  assertEquals(stage.next().key, "old-key");
});

registrationTest("tries again after each refusal, each time later", async (stage) => {
  await stage.start();
  await stage.next().answer(400, "no answer from :5000");
  await (await stage.nextAfter(1)).answer(409, "taken");
  await (await stage.nextAfter(1.5)).answer(500, "");
  await (await stage.nextAfter(3)).answer(200, "not a 201");
  stage.random = 0.9999;
  await (await stage.nextAfter(6)).answer(302, "");
  const request = await stage.nextAfter(16);
  assertEquals(request.method, "POST");
  await request.answer(201, "the-key");
  assertEquals(stage.log.events("info"), ["listing.registered"]);
});

registrationTest("tries again soon where nobody answers: never later than after 8 s", async (stage) => {
  await stage.start();
  stage.random = 1;
  await stage.next().fail("refused");
  for (const seconds of [1, 2, 4, 8, 8, 8]) await (await stage.nextAfter(seconds)).fail("refused");
});

registrationTest(
  "warns of a listing that is not there at the start only once it stays away",
  async (stage) => {
    await stage.start();
    stage.random = 1;
    await stage.next().fail("refused");
    for (const seconds of [1, 2, 4, 8]) await (await stage.nextAfter(seconds)).fail("refused");
    const levels = stage.log.lines.map(({ level, event }) => [level, event]);
    assertEquals(
      levels,
      ["debug", "debug", "debug", "warn", "debug"].map((level) => [level, "listing.unreachable"]),
    );
    assertEquals(levels[UNREACHABLE_AT_START_MAX]?.[0], "warn");
  },
);

registrationTest("begins with short waits again after each success", async (stage) => {
  await stage.start();
  await stage.next().answer(500);
  await (await stage.nextAfter(1)).answer(500);
  await (await stage.nextAfter(1.5)).answer(201, "key");
  await stage.change({ connectedUsers: 1 });
  await (await stage.nextAfter(1)).answer(500);
  await (await stage.nextAfter(1)).answer(500);
  await (await stage.nextAfter(1.5)).answer(200);
  await stage.change({ connectedUsers: 2 });
  await (await stage.nextAfter(1)).answer(500);
  await stage.nextAfter(1);
});

registrationTest("says what is now, and not what was when it was refused", async (stage) => {
  await stage.start();
  await stage.next().answer(500);
  await stage.change({ connectedUsers: 5 });
  assertEquals((await stage.nextAfter(1)).body?.connectedUsers, 5);
});

registrationTest("tells what has changed, with its key, and no more than that", async (stage) => {
  await stage.registered();
  await stage.pass(1);
  await stage.change({ connectedUsers: 1 });
  const first = stage.next();
  assertEquals([first.method, first.key, first.body], ["PUT", "the-key", { connectedUsers: 1 }]);
  await first.answer(200);
  await stage.change({ connectedUsers: 2, maxUsers: 60 });
  const second = await stage.nextAfter(1);
  assertEquals(second.body, { connectedUsers: 2, maxUsers: 60 });
  await second.answer(200);
  await stage.change({ serverName: "Bar" });
  const third = await stage.nextAfter(1);
  assertEquals(third.body, { serverName: "Bar" });
  await third.answer(200);
  await stage.pass(5);
  stage.quiet();
});

registrationTest("tells a change that came while it registered or told another", async (stage) => {
  await stage.start();
  await stage.change({ connectedUsers: 1 });
  await stage.next().answer(201, "key");
  const put = await stage.nextAfter(1);
  assertEquals(put.body, { connectedUsers: 1 });
  await stage.change({ connectedUsers: 2 });
  await put.answer(200);
  assertEquals((await stage.nextAfter(1)).body, { connectedUsers: 2 });
});

registrationTest("tells changes at most once a second, then the last of them", async (stage) => {
  await stage.registered();
  for (let users = 1; users <= 9; users++) {
    await stage.change({ connectedUsers: users });
    await stage.pass(0.1);
    stage.quiet();
  }
  const first = await stage.nextAfter(0.1);
  assertEquals(first.body, { connectedUsers: 9 });
  await first.answer(200);
  await stage.change({ connectedUsers: 10 });
  await stage.change({ connectedUsers: 11 });
  assertEquals((await stage.nextAfter(1)).body, { connectedUsers: 11 });
});

registrationTest("tells nothing of a change that was taken back within the second", async (stage) => {
  await stage.registered();
  await stage.change({ connectedUsers: 1 });
  await stage.change({ connectedUsers: 0 });
  await stage.pass(5);
  stage.quiet();
});

registrationTest("renews what it said, so that a loss is noticed, though nothing changed", async (stage) => {
  await stage.registered();
  await stage.pass(1);
  const first = await stage.nextAfter(12);
  assertEquals([first.method, first.body], ["PUT", { connectedUsers: 0 }]);
  await first.answer(200);
  stage.random = 1;
  await stage.pass(1);
  await (await stage.nextAfter(15)).answer(200);
  assertEquals(stage.log.events("warn"), []);
});

for (const status of [400, 401]) {
  registrationTest(
    `registers anew, with its key, when an update is answered with ${status}`,
    async (stage) => {
      await stage.registered("first");
      await stage.change({ connectedUsers: 1 });
      await (await stage.nextAfter(1)).answer(status, "not listed");
      await stage.change({ connectedUsers: 2 });
      const again = await stage.nextAfter(1);
      assertEquals([again.method, again.key, again.body?.serverName], ["POST", "first", "Pub"]);
      assertEquals(again.body?.connectedUsers, 2);
      await again.answer(201, "second");
      assertEquals(stage.keys.kept.get(URL_OF_LISTING), "second");
      await stage.change({ connectedUsers: 3 });
      const put = await stage.nextAfter(1);
      assertEquals([put.method, put.key, put.body], ["PUT", "second", { connectedUsers: 3 }]);
    },
  );
}

registrationTest("repeats an update that failed otherwise, with what has changed by then", async (stage) => {
  await stage.registered();
  await stage.change({ connectedUsers: 1 });
  await (await stage.nextAfter(1)).fail("refused");
  await stage.change({ maxUsers: 9 });
  const again = await stage.nextAfter(1);
  assertEquals([again.method, again.body], ["PUT", { connectedUsers: 1, maxUsers: 9 }]);
  await again.answer(503);
  assertEquals((await stage.nextAfter(1.5)).method, "PUT");
});

registrationTest("tries no sooner because something changes while it is not listed", async (stage) => {
  await stage.start();
  await stage.next().fail("refused");
  await stage.change({ connectedUsers: 1 });
  await stage.nextAfter(1);
});

registrationTest(
  "warns of an objection once, of another one again, and of each anew after a success",
  async (stage) => {
    await stage.start();
    await stage.next().answer(400, "no answer");
    await (await stage.nextAfter(1)).answer(400, "no answer");
    await (await stage.nextAfter(1.5)).answer(400, "wrong id\u001b[31m");
    await (await stage.nextAfter(3)).fail("refused");
    await (await stage.nextAfter(6)).answer(201, "key");
    await stage.change({ connectedUsers: 1 });
    await (await stage.nextAfter(1)).fail("refused");
    const logged = stage.log.lines.filter(({ level }) => level !== "info").map((
      { level, event, properties },
    ) => [
      level,
      event,
      properties.answer,
      properties.tryAgainInSeconds,
    ]);
    assertEquals(logged, [
      ["warn", "listing.refused", "status 400: no answer", 1],
      ["debug", "listing.refused", "status 400: no answer", 1.5],
      ["warn", "listing.refused", "status 400: wrong id [31m", 3],
      ["warn", "listing.unreachable", "refused", 6],
      ["warn", "listing.unreachable", "refused", 1],
    ]);
  },
);

registrationTest("takes no key that cannot be sent back, and keeps none of it", async (stage) => {
  await stage.start();
  await stage.next().answer(201, "<html>\n<p>Log in to the hotel's network");
  await (await stage.nextAfter(1)).answer(201, "");
  await (await stage.nextAfter(1.5)).answer(201, "schlüssel");
  assertEquals(stage.keys.kept.size, 0);
  assertEquals(stage.log.events("info"), []);
  const again = await stage.nextAfter(3);
  assertEquals([again.method, again.key], ["POST", undefined]);
  await again.answer(201, "key");
  assertEquals(stage.keys.kept.get(URL_OF_LISTING), "key");
});

registrationTest("that is stopped withdraws with its key", async (stage) => {
  const registration = await stage.registered();
  await stage.pass(5);
  const stopped = registration.stop();
  await promisesSettled();
  const { method, key, answer } = stage.next();
  assertEquals([method, key], ["DELETE", "the-key"]);
  await answer(200);
  await stopped;
  assertEquals(stage.log.events("info"), ["listing.registered", "listing.withdrawn"]);
  await stage.pass(100);
  stage.quiet();
});

registrationTest("that is stopped says where it could not withdraw", async (stage) => {
  const registration = await stage.registered();
  const stopped = registration.stop();
  await promisesSettled();
  await stage.next().answer(401, "wrong key");
  await stopped;
  assertEquals(stage.log.events("warn"), ["listing.withdrawal_failed"]);
});

registrationTest("that is stopped waits for a listing that hangs for 2 s at most", async (stage) => {
  const registration = await stage.registered();
  await stage.change({ connectedUsers: 1 });
  const update = await stage.nextAfter(1);
  let stopped = false;
  registration.stop().then(() => stopped = true);
  await stage.pass(0.999);
  assertFalse(update.isAborted());
  stage.quiet();
  await stage.pass(0.001);
  assert(update.isAborted());
  const withdrawal = stage.next();
  assertEquals([withdrawal.method, withdrawal.key], ["DELETE", "the-key"]);
  await stage.pass(0.999);
  assertEquals([stopped, withdrawal.isAborted()], [false, false]);
  await stage.pass(0.001);
  assertEquals([stopped, withdrawal.isAborted()], [true, true]);
});

registrationTest(
  "that is stopped while it registers withdraws with the key that still comes",
  async (stage) => {
    const registration = await stage.start();
    const stopped = registration.stop();
    await promisesSettled();
    await stage.next().answer(201, "late-key");
    assertEquals(stage.listing.requests.at(-1)?.key, "late-key");
    await stage.next().answer(200);
    await stopped;
  },
);

registrationTest("that is stopped before it was listed withdraws nothing", async (stage) => {
  const waiting = await stage.start();
  await stage.next().answer(400, "no answer");
  // It stops during its wait: no time has to pass.
  await waiting.stop();
  await stage.pass(100);
  stage.quiet();
});

registrationTest("that is stopped while a listing hangs gives up after 1 s", async (stage) => {
  stage.keys.kept.set(URL_OF_LISTING, "old-key");
  const registration = await stage.start();
  const request = stage.next();
  let stopped = false;
  registration.stop().then(() => stopped = true);
  await stage.pass(0.999);
  assertFalse(stopped);
  await stage.pass(0.001);
  assertEquals([stopped, request.isAborted()], [true, true]);
  stage.quiet();
  assertEquals(stage.log.events("warn"), []);
});

registrationTest("registers without a key where the store of keys cannot be read", async (stage) => {
  stage.keys.fails.get = true;
  await stage.registered();
  assertEquals(stage.listing.requests[0]?.key, undefined);
  assertEquals(stage.log.events("error"), ["listing.key_unreadable"]);
});

registrationTest(
  "goes on with the key in memory where the store of keys cannot be written",
  async (stage) => {
    stage.keys.fails.set = true;
    const registration = await stage.registered("fresh");
    assertEquals(stage.log.events("error"), ["listing.key_not_kept"]);
    await stage.change({ connectedUsers: 1 });
    const put = await stage.nextAfter(1);
    assertEquals([put.method, put.key], ["PUT", "fresh"]);
    await put.answer(200);
    const stopped = registration.stop();
    await promisesSettled();
    assertEquals(stage.listing.requests.at(-1)?.key, "fresh");
    await stage.next().answer(200);
    await stopped;
  },
);

registrationTest("writes no key into the log", async (stage) => {
  stage.keys.fails.set = true;
  const registration = await stage.registered("s3cret");
  const stopped = registration.stop();
  await promisesSettled();
  await stage.next().answer(401, "no");
  await stopped;
  assertFalse(JSON.stringify(stage.log.lines).includes("s3cret"));
});

registrationTest("survives a bug, logs it, and goes on later", async (stage) => {
  const { describe } = stage;
  stage.describe = () => {
    throw new TypeError("a bug");
  };
  await stage.start();
  stage.quiet();
  assertEquals(stage.log.lines.map(({ event, properties }) => [event, properties.where]), [
    ["bug", "registration"],
  ]);
  stage.describe = describe;
  assertEquals((await stage.nextAfter(RETRY_SECONDS_MAX)).method, "POST");
});
