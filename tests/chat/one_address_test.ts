/**
 * One address that does its worst with 64 sockets, and people of another address: they join, talk and keep their
 * history. bench/one_address.ts does the same to the program for a minute.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { BURSTS_PER_ADDRESS } from "../../chat/gateway/address_shares.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { ChatClient } from "../support/chat_client.ts";
import { testOverTransportsAndGateways } from "../support/chat_server.ts";
import { GreedyAddress } from "../support/greedy_address.ts";
import { metricsOf } from "../support/metrics.ts";

const SOCKETS = 64;
/** Without a rate for the address, its 64 sockets send more in a second. */
const HISTORY_COUNT = 3000;
const SAID_BEFORE = 20;
const VISITORS = 2;
const MS_OF_ATTACK = 300;
const PACE_MS = 150;
/** A server that refuses nothing fails at this visitor. Beside a load of 10, 2 to 4 saw every refusal. */
const VISITORS_MAX = 40;

/** Reads frames until one of `client`'s own messages with this text. */
async function said(client: ChatClient, text: string): Promise<void> {
  client.send(`c2/MSG 1; ${text}`);
  for (let frame = ""; !frame.endsWith(`; ${text}`);) {
    frame = await client.next();
    assert(!frame.startsWith("c2/ERROR"), frame);
  }
}

/** The answer to a frame, among broadcasts to all. A client that asks faster than it may asks again later. */
async function answerTo(client: ChatClient, frame: string): Promise<string> {
  client.send(frame);
  while (true) {
    const answer = await client.next();
    if (answer.startsWith("c2/ERROR Too many frames")) {
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      client.send(frame);
    } else if (/^c2\/(?:ACKNOWLEDGE|ERROR)/.test(answer)) return answer;
  }
}

testOverTransportsAndGateways(
  "one address does its worst: others join, talk and keep their history",
  async (start) => {
    const limits = { maxUsers: 20, maxUsersPerAddress: 10, historyCount: HISTORY_COUNT };
    await using chat = await start({ limits, limitLoopback: true });
    const alice = await ChatClient.connect(chat.url, "alice");
    for (let n = 0; n < SAID_BEFORE; n++) await said(alice, `before ${n}`);
    const beganMs = performance.now();
    const before = (await metricsOf(chat.url)).get('chatter_messages_total{kind="said"}')!;
    let visits = 0;
    {
      await using greedy = new GreedyAddress(chat.url, "127.0.0.2", SOCKETS);
      const { errors } = greedy.deeds;
      // The second and third come from any machine, however busy: 64 sockets want 10 places.
      while (
        visits < VISITORS || performance.now() - beganMs < MS_OF_ATTACK ||
        !["Too many frames from this address", "Too many users from this address"].every((text) =>
          errors.has(text)
        )
      ) {
        assert(visits < VISITORS_MAX, `refused only with ${[...errors.keys()]}`);
        // They come and stay until the next: one more than the place that is theirs.
        await using visitor = await ChatClient.connect(chat.url, `visitor ${++visits}`);
        await said(visitor, `during ${visits}`);
        await said(alice, `with ${visits}`);
        const users = (await answerTo(alice, "c2/QUERY active_users")).match(/greedy/g) ?? [];
        // So that alice keeps to her own rate.
        await new Promise((resolve) => setTimeout(resolve, PACE_MS));
        assert(users.length <= limits.maxUsersPerAddress, `${users.length} of one address`);
      }
      assertEquals([...errors.keys()].filter((text) => text === "Server is full"), []);
    }
    const seconds = (performance.now() - beganMs) / 1000;
    const samples = await metricsOf(chat.url);
    const { floodBurst, floodRatePerAddress } = DEFAULT_LIMITS;
    const allowed = BURSTS_PER_ADDRESS * floodBurst + floodRatePerAddress * seconds;
    const theirs = samples.get('chatter_messages_total{kind="said"}')! - before - 2 * visits;
    assert(theirs > 0 && theirs <= allowed, `${theirs} messages of one address in ${seconds} s`);
    for (const fault of ["ADDRESS_FLOOD", "ADDRESS_FULL"]) {
      assert(samples.get(`chatter_faults_total{fault="${fault}"}`)! > 0, fault);
    }
    const kept = new Set<string>();
    for (let oldest = ""; !kept.has("before 0");) {
      const page = JSON.parse((await answerTo(alice, `c2/QUERY history; 200${oldest}`)).slice(15));
      assert(page.length > 0, "the history ends after its first message");
      for (const { message } of page) kept.add(message);
      oldest = `; ${page[0].uuid}`;
    }
    for (let n = 0; n < SAID_BEFORE; n++) assert(kept.has(`before ${n}`));
    for (let n = 1; n <= visits; n++) assert(kept.has(`during ${n}`) && kept.has(`with ${n}`));
    await alice[Symbol.asyncDispose]();
  },
);
