/**
 * A chat server in the test's own process, on a free port of loopback, that ends with the test.
 *
 * @module
 */
import { type ChatOptions, type RunningChat, startChat } from "../../chat/mod.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/protocol/limits.ts";

export type TestChatOptions = Partial<Omit<ChatOptions, "limits">> & { limits?: Partial<Limits> };

/** Starts one in memory, known to no listing, unless told otherwise. */
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
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...options,
  });
}
