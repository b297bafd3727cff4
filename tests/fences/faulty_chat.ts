/**
 * A chat server whose ports fail where a plan says so. It composes the program's parts as chat/mod.ts does, and wraps
 * the ports between them. It runs in memory, on a free port of loopback, without listings.
 *
 * @module
 */
import { administration } from "../../chat/admin/admin_api.ts";
import { type AdminApp, adminIsOff } from "../../chat/admin/mount.ts";
import { KvKeyStore } from "../../chat/announce/identity_kv.ts";
import { Proofs } from "../../chat/announce/proofs.ts";
import type { Connection, Receiver } from "../../chat/delivery/connection.ts";
import { Fanout, type FanoutPort } from "../../chat/delivery/fanout.ts";
import type { Participant } from "../../chat/delivery/participant.ts";
import { Admission } from "../../chat/gateway/admission.ts";
import { Gateway } from "../../chat/gateway/gateway.ts";
import type { Inbox } from "../../chat/gateway/session.ts";
import { TRANSPORTS } from "../../chat/gateway/threads/mod.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { Node } from "../../chat/node.ts";
import type { Input } from "../../chat/room/decision.ts";
import { SettingsInForce } from "../../chat/settings.ts";
import type { AdmittedSocket, StartTransport, TransportName } from "../../chat/sockets/transport.ts";
import { KvBanStore } from "../../chat/store/ban_store_kv.ts";
import type { Journal } from "../../chat/store/journal.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { KvSessionStore } from "../../chat/store/session_store_kv.ts";
import { steadyClock } from "../../src/clock.ts";
import { openKv } from "../../src/kv/kv.ts";
import { logger } from "../../src/logging/log.ts";
import type { Tracing } from "../../src/metrics/tracing.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/protocol/limits.ts";
import { WebAssets } from "../../src/serving/web_assets.ts";
import { Bug } from "../support/broken.ts";
import type { FaultPlan } from "./fault_plan.ts";

/** The ports of a chat server. A planned `input` throws when the room reads it. */
export interface ChatPorts {
  readonly transport: { handle(): void };
  readonly socket: Pick<AdmittedSocket, "accept">;
  readonly connection: Connection;
  readonly receiver: Receiver;
  readonly inbox: Pick<Inbox, "submit">;
  readonly input: { readonly [type in Input["type"]]: () => void };
  /** Lists everybody with a socket. */
  readonly sockets: { here(): Iterable<Participant> };
  readonly clock: { nowMs(): number };
  readonly journal: Journal;
  readonly retained: Journal;
  readonly fanout: FanoutPort;
  readonly tracing: Tracing;
}

export interface FaultyChatOptions {
  readonly transport?: TransportName;
  readonly adminToken?: string;
  readonly limits?: Partial<Limits>;
}

export interface FaultyChat extends AsyncDisposable {
  readonly url: string;
}

const NO_TRACING: Tracing = { record: () => {}, within: (_name, _attributes, work) => work() };

/** What all parts of one server share. */
interface Shared {
  readonly plan: FaultPlan<ChatPorts>;
  readonly settings: SettingsInForce;
  readonly meters: ChatMeters;
}

const ID = 7;
const log = logger("chat");

export async function startFaultyChat(
  plan: FaultPlan<ChatPorts>,
  { transport = "serve", adminToken, limits = {} }: FaultyChatOptions = {},
): Promise<FaultyChat> {
  const settings = new SettingsInForce({
    name: "Test Server",
    address: undefined,
    allowedOrigins: undefined,
    trustProxy: false,
    limitLoopback: false,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  const shared = { plan, settings, meters: new ChatMeters() };
  await using held = new AsyncDisposableStack();
  const stores = storesIn(held.use(await openKv(":memory:")), shared);
  const gateways: Gateway[] = [];
  const node = await startNode(stores, () => gateways.flatMap(({ sessions }) => [...sessions]), shared);
  held.defer(() => node.stop());
  const admin = adminToken === undefined
    ? adminIsOff()
    : administration({ token: adminToken, id: ID, settings, node, stores });
  const gateway = await openGateway(transport, node, admin, shared);
  gateways.push(gateway);
  held.defer(() => gateway.close());
  node.announce({ listings: [], port: gateway.port });
  const running = held.move();
  return {
    url: `http://127.0.0.1:${gateway.port}`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function storesIn(kv: Deno.Kv, { plan, settings }: Shared) {
  const journal = laterStored(new MemoryJournal(settings.limits));
  return {
    journal: plan.at("journal", journal),
    retained: plan.at("retained", journal),
    bans: new KvBanStore(kv),
    sessions: new KvSessionStore(kv),
    keys: new KvKeyStore(kv),
    kv,
  };
}

function startNode(
  stores: ReturnType<typeof storesIn>,
  here: () => Iterable<Participant>,
  { plan, settings, meters }: Shared,
): Promise<Node> {
  const sockets = plan.at("sockets", { here });
  const clock = plan.at("clock", { nowMs: () => Date.now() });
  return Node.start({
    id: ID,
    settings,
    stores,
    proofs: new Proofs(new Uint8Array(), []),
    sockets: () => sockets.here(),
    fanout: plan.at("fanout", new Fanout({ meters, steadyMs: steadyClock, log })),
    soon: queueMicrotask,
    nowMs: () => clock.nowMs(),
    meters,
    tracing: plan.at("tracing", NO_TRACING),
    log,
  });
}

async function openGateway(
  transport: TransportName,
  { searches }: Node,
  admin: AdminApp,
  { plan, settings, meters }: Shared,
): Promise<Gateway> {
  return await Gateway.open({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    sharers: 1,
    transport: faultyTransport(TRANSPORTS[transport], plan),
    serverId: ID,
    settings,
    inbox: plan.at("inbox", {
      submit: (participant, input) =>
        searches.submit(participant, plan.isDue(`input.${input.type}`) ? unreadable(input) : input),
    }),
    admission: new Admission(settings),
    admin,
    isReady: () => Promise.resolve(true),
    countUsers: () => 3,
    assets: WebAssets.load([]),
    metrics: () => Promise.resolve(new Response()),
    meters,
    log,
  });
}

/** A journal whose appends take time, as those to a disk do. */
function laterStored(journal: MemoryJournal): Journal {
  return new Proxy<Journal>(journal, {
    get(target, name) {
      if (name === "append") {
        return (...args: Parameters<Journal["append"]>) => Promise.resolve(target.append(...args));
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function faultyTransport(start: StartTransport, plan: FaultPlan<ChatPorts>): StartTransport {
  return (options) =>
    start({
      ...options,
      handle: (request, peer) => {
        if (plan.isDue("transport.handle")) throw new Bug("in transport.handle");
        return options.handle(request, {
          remoteAddress: peer.remoteAddress,
          arrivedAt: peer.arrivedAt,
          upgrade: (socket) =>
            peer.upgrade({
              ...socket,
              accept: plan.at("socket", {
                accept: (connection) => plan.at("receiver", socket.accept(plan.at("connection", connection))),
              }).accept,
            }),
        });
      },
    });
}

/** An input that throws at each read but that of its type. */
function unreadable(input: Input): Input {
  return new Proxy(input, {
    get(target, name) {
      if (name === "type") return target.type;
      throw new Bug(`in input.${String(name)}`);
    },
  });
}
