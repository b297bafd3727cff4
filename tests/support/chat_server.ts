/**
 * A chat server in the test's own process, on a free port of loopback, that ends with the test; and tests over each
 * transport.
 *
 * @module
 */
import { type ChatOptions, type RunningChat, startChat } from "../../chat/mod.ts";
import type { TransportName } from "../../chat/sockets/transport.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/protocol/limits.ts";
import { gatewaysInProcess } from "./gateways_in_process.ts";

export type TestChatOptions = Partial<Omit<ChatOptions, "limits">> & { limits?: Partial<Limits> };
/** `startTestChat` with a given transport. */
export type StartTestChat = (options?: TestChatOptions) => Promise<RunningChat>;

/** A smaller program than main.ts, whose threads are tried from outside: tests/e2e/workers_test.ts. */
const THREAD_ENTRY = new URL("faulty_thread.ts", import.meta.url).href;

export const TRANSPORT_NAMES: readonly TransportName[] = ["serve", "ws"];

/** Starts a server in memory without listings, unless options say otherwise. */
export function startTestChat({ limits, ...options }: TestChatOptions = {}): Promise<RunningChat> {
  return startChat({
    hostname: "127.0.0.1",
    port: 0,
    id: undefined,
    name: "Test Server",
    address: undefined,
    listings: [],
    kv: ":memory:",
    tls: undefined,
    adminToken: undefined,
    metricsToken: undefined,
    transport: "serve",
    workers: 1,
    entry: THREAD_ENTRY,
    allowedOrigins: undefined,
    trustProxy: false,
    limitLoopback: false,
    onDenoDeploy: false,
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...options,
  });
}

export type TransportTest = (start: StartTestChat, transport: TransportName) => Promise<void>;

/** A test for each transport, by name: every server that `test` starts uses it. */
export function testOverEachTransport(name: string, test: TransportTest): void {
  for (const transport of TRANSPORT_NAMES) {
    Deno.test(`${transport}: ${name}`, () =>
      test((options) => startTestChat({ transport, ...options }), transport));
  }
}

/** Calls `test` for each transport, on all at once: for tests that wait. A failure names its transport. */
export async function overTransportsAtOnce(test: TransportTest): Promise<void> {
  const failures = await Promise.all(TRANSPORT_NAMES.map(async (transport) => {
    try {
      await test((options) => startTestChat({ transport, ...options }), transport);
    } catch (error) {
      return new Error(`over ${transport}`, { cause: error });
    }
  }));
  for (const failure of failures) if (failure !== undefined) throw failure;
}

/**
 * `testOverEachTransport`, and once more over two gateways, for what crosses from one to another. The length of the name
 * chooses the transport, so that a suite has both.
 */
export function testOverTransportsAndGateways(name: string, test: TransportTest): void {
  testOverEachTransport(name, test);
  const transport = TRANSPORT_NAMES[name.length % TRANSPORT_NAMES.length]!;
  Deno.test(`${transport} over 2 gateways: ${name}`, async () => {
    using _inProcess = gatewaysInProcess();
    await test((options) => startTestChat({ transport, workers: 2, ...options }), transport);
  });
}
