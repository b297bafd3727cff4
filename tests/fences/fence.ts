/**
 * A test of one fence: something throws at an entry point, and the test checks its effect on the sender and on all
 * others.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { TransportName } from "../../chat/sockets/transport.ts";
import { type KeptLog, keptLog } from "../support/broken.ts";
import { ChatClient } from "../support/chat_client.ts";
import { TRANSPORT_NAMES } from "../support/chat_server.ts";
import { FaultPlan } from "./fault_plan.ts";
import { type ChatPorts, type FaultyChat, type FaultyChatOptions, startFaultyChat } from "./faulty_chat.ts";

/** The entry points that have a test. */
export const tried = new Set<string>();

export function fence(
  entryPoint: string,
  result: string,
  test: (log: KeptLog) => Promise<void>,
  prefix = "",
): void {
  tried.add(entryPoint);
  Deno.test(`${prefix}a bug in ${entryPoint} ${result}`, async () => {
    await using log = await keptLog();
    await test(log);
    for (const stack of log.stacks()) assertMatch(stack, /^Bug: in .*\n +at /);
  });
}

interface ChatFenceOptions extends Omit<FaultyChatOptions, "transport"> {
  readonly transports?: readonly TransportName[];
}

/** What a test of a chat server's fence gets. */
interface ChatFenceStage {
  readonly server: FaultyChat;
  readonly plan: FaultPlan<ChatPorts>;
  readonly log: KeptLog;
  /** The server must serve him at all times. */
  readonly bob: ChatClient;
}

/** As `fence`, over each transport, with a chat server whose ports fail as the test plans, and that must serve bob. */
export function chatFence(
  entryPoint: string,
  result: string,
  test: (stage: ChatFenceStage) => Promise<void>,
  { transports = TRANSPORT_NAMES, ...options }: ChatFenceOptions = {},
): void {
  for (const transport of transports) {
    fence(entryPoint, result, async (log) => {
      const plan = new FaultPlan<ChatPorts>();
      await using server = await startFaultyChat(plan, { transport, ...options });
      await using bob = await ChatClient.connect(server.url, "bob");
      await bob.drain();
      await test({ server, plan, log, bob });
      assertEquals(bob.socket.readyState, WebSocket.OPEN);
      // The test's other clients may be leaving just now.
      bob.send("c2/MSG 1; I am still here");
      while (!(await bob.next()).endsWith("; I am still here"));
      await using carol = await ChatClient.connect(server.url, "carol");
      assertEquals(await carol.drain(), []);
      assert(log.stacks().length > 0, "the bug was met and logged");
    }, `${transport}: `);
  }
}
