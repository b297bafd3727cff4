/**
 * The connection of a session on a fake clock: when it counts as dead, and how fast frames are sent.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { FakeDriver, TOKEN, uuidOf } from "../support/fake_driver.ts";

/** A driver whose session was let in as alice. */
function inside(): FakeDriver {
  const driver = new FakeDriver();
  driver.enter();
  return driver;
}

Deno.test("a connection that owes an answer and says nothing for 20 s is given up, and what it still says is not heard", () => {
  const driver = inside();
  driver.pass(20_000);
  assertEquals(driver.sent, ["c2/PING"]);
  driver.pass(19_999);
  assertEquals(driver.closes, []);
  const { socket } = driver;
  driver.pass(1);
  assertEquals(driver.closes, [`${socket} 4000 no answer`]);
  assertEquals(driver.session.phase, "opening");
  driver.run(driver.session.received(driver.nowMs, socket, "c2/JOIN carol"));
  driver.run(driver.session.closed(driver.nowMs, socket, 1006, ""));
  assertEquals([driver.eventsOf("came"), driver.session.phase], [[], "opening"]);
});

Deno.test("the time of a ping is measured again soon, because the first one waits behind the history", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`, "c2/JOIN alice");
  driver.pass(500);
  driver.receive("c2/ACKNOWLEDGE []", "c2/ACKNOWLEDGE []", "c2/ACKNOWLEDGE {}", "c2/PING 1");
  driver.pass(2500);
  driver.nowMs += 4;
  driver.receive("c2/PING 1");
  driver.pass(20_000);
  driver.nowMs += 7;
  driver.receive("c2/PING 1");
  assertEquals(driver.eventsOf("latency").map(({ ms }) => ms), [500, 4, 7 + 4]);
});

Deno.test("a connection that talks is not given up, however late an answer is", () => {
  const driver = inside();
  driver.send("slow store");
  for (let n = 1; n < 10; n++) {
    driver.pass(10_000);
    driver.receive(`c2/MSG bob; 1; ${uuidOf(n)}; still here`);
  }
  assertEquals(driver.closes, []);
});

Deno.test("a connection that is doubted has 5 s to answer", () => {
  const driver = inside();
  driver.pass(1000);
  driver.run(driver.session.hint(driver.nowMs));
  assertEquals(driver.sent, ["c2/PING"]);
  driver.pass(4999);
  assertEquals(driver.closes, []);
  driver.pass(1);
  assertEquals(driver.closes.length, 1);
});

Deno.test("a socket that does not open or does not let in for 15 s is given up", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.pass(15_000);
  assertEquals(driver.closes, ["1 4000 no answer"]);
  driver.open();
  driver.pass(15_000);
  assertEquals(driver.closes, ["1 4000 no answer", "2 4000 no answer"]);
});

Deno.test("many texts at once go out within half of the flood limit, and the rest at nine tenths of its rate", () => {
  const driver = inside();
  for (let n = 1; n <= 200; n++) driver.send(`text ${n}`);
  const bursts: number[] = [];
  let answered = 0;
  const answer = () => {
    for (; answered < driver.sent.length; answered++) {
      const [, nonce] = /^c2\/SEND (\S+);/.exec(driver.sent[answered]!) ?? [];
      if (nonce !== undefined) driver.receive(`c2/ACKNOWLEDGE ${nonce}; ${uuidOf(answered)}`);
      else driver.receive("c2/PING 1");
    }
  };
  assertEquals(driver.sent.length, 29, "30 less the second ping");
  assertEquals(driver.wakeAtMs !== undefined, true);
  while (answered < 200) {
    const before = driver.sent.length;
    answer();
    driver.pass(1000);
    bursts.push(driver.sent.length - before);
  }
  assert(bursts.every((burst) => burst <= 20), bursts.join());
  assertGreater(bursts[2]!, 16);
  assertEquals(driver.sent.filter((text) => text.startsWith("c2/SEND")).length, 200);
});

Deno.test("not more than a window of frames is unanswered, whatever time passes", () => {
  const driver = inside();
  for (let n = 1; n <= 200; n++) driver.send(`text ${n}`);
  for (let n = 0; n < 15; n++) {
    driver.pass(1000);
    driver.receive(`c2/TYPING bob`);
  }
  assertEquals(driver.sent.length, 30);
});

Deno.test("the limits of the server are minded", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.run(driver.session.wish(0, { kind: "info" }));
  driver.receive('c2/ACKNOWLEDGE {"limits":{"floodBurst":4,"floodRate":1,"maxUnansweredFrames":256}}');
  driver.pass(10_000);
  driver.forget();
  for (let n = 1; n <= 10; n++) driver.send(`text ${n}`);
  assertEquals(driver.sent.length, 2);
});

Deno.test("a frame that was too much after all is sent again a second later", () => {
  const driver = inside();
  driver.send("hello");
  const [nonce] = driver.nonces;
  driver.receive("c2/ERROR Too many frames: the sustained rate limit is 20 per second");
  assertEquals(driver.sent.length, 1);
  driver.pass(1100);
  assertEquals(driver.sent.slice(1), [`c2/SEND ${nonce}; 1000; hello`]);
  assertEquals(driver.eventsOf("failed"), []);
});
