/**
 * Chat servers that are nodes of one room, in the test's own process, over real NATS servers.
 *
 * @module
 */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { RunningChat } from "../../chat/mod.ts";
import type { ClusterValues } from "../../src/cli/cluster_flags.ts";
import { startTestChat, type TestChatOptions } from "../support/chat_server.ts";
import { ChatClient } from "../support/chat_client.ts";
import { TOKEN } from "../support/admin_api.ts";
import { until } from "../support/until.ts";
import type { NatsServers } from "./nats_servers.ts";

let rooms = 0;

/** A room's name that no other test has. */
export function newRoom(): string {
  return `room${++rooms}`;
}

export function clusterValues(servers: Pick<NatsServers, "urls">, room: string): ClusterValues {
  return {
    ...{ cluster: [...servers.urls], clusterName: room, clusterNode: "node", clusterPassword: undefined },
    ...{ clusterCreds: undefined, clusterCa: undefined, clusterReplicas: servers.urls.length },
    ...{ clusterLogHours: 1, clusterTakeover: 1, clusterLost: 2, clusterPatience: 5 },
  };
}

/** With which the node that leads is replaced if it stops only, and not if a busy machine keeps it silent. */
export function patientValues(servers: Pick<NatsServers, "urls">, room: string): ClusterValues {
  return { ...clusterValues(servers, room), clusterTakeover: 10, clusterLost: 20, clusterPatience: 30 };
}

/** Starts a node; it is ready. */
export async function startNode(
  servers: NatsServers,
  room: string,
  options: TestChatOptions = {},
): Promise<RunningChat> {
  const chat = await startTestChat({
    cluster: clusterValues(servers, room),
    adminToken: TOKEN,
    ...options,
  });
  await until("the node is ready", () => isReady(chat));
  return chat;
}

export async function isReady({ url }: Pick<RunningChat, "url">): Promise<boolean> {
  const response = await fetch(`${url}/readyz`);
  await response.body?.cancel();
  return response.ok;
}

/** A client of the extended mode that is in the room. */
export async function connectLive(url: string, name: string): Promise<{ client: ChatClient; token: string }> {
  const client = await ChatClient.open(url, true);
  const answer = await client.ask(`c2/CONNECT ${name}`);
  if (!answer.startsWith("c2/ACKNOWLEDGE ")) throw new Error(answer);
  const session = await client.next();
  return { client, token: session.slice("c2/SESSION ".length).split("; ")[0]! };
}

/** The contents of `history`, the oldest first. */
export async function historyAt(url: string): Promise<string[]> {
  await using reader = await ChatClient.connect(url, "reader");
  const answer = await reader.ask("c2/QUERY history; 200");
  const history = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { message: string }[];
  return history.map(({ message }) => message);
}

/** Runs a server without a cluster, whose store then has a message of ann with each text. Returns its id. */
export async function storeOfSingle(options: TestChatOptions, ...texts: string[]): Promise<number> {
  await using single = await startTestChat(options);
  await using ann = await ChatClient.connect(single.url, "ann");
  for (const text of texts) await ann.say(text);
  return single.id;
}

/** Has the manager of JetStream do something to the log. */
export async function withManager(
  servers: NatsServers,
  act: (manager: JetStreamManager, nats: NatsConnection) => Promise<unknown>,
): Promise<void> {
  const nats = await connect({ servers: [...servers.urls] });
  try {
    await act(await jetstreamManager(nats), nats);
  } finally {
    await nats.close();
  }
}
