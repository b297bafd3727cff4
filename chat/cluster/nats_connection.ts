/**
 * The connection to NATS. Its settings notice a dead or frozen server within 3 s and reconnect without an end. A server
 * that can never do for the log is refused in one line; one that is not there yet is waited for.
 *
 * @module
 */
import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type ServerInfo,
  wsconnect,
  type WsSocketFactory,
} from "@nats-io/transport-node";
import type { NowMs } from "../../src/clock.ts";
import type { Logger } from "../../src/logging/log.ts";
import { LogThrottle } from "../../src/logging/throttle.ts";
import { CannotStart } from "../../src/serving/start_failure.ts";
import { readNamed } from "../../src/serving/tls_files.ts";
import type { NatsSettings } from "./cluster_settings.ts";
import { LINE_MS, retried } from "./retry.ts";

/** Milliseconds until a server that accepts a connection must have answered; a frozen one accepts. */
const CONNECT_MS = 1500;
/** Milliseconds between two pings, and how many may be unanswered. */
const PING_MS = 1000;
const PINGS_OUT_MAX = 2;
/** Milliseconds between two tries to reach one server again, and the most that chance adds. */
const RECONNECT_MS = 100;
const RECONNECT_JITTER_MS = 150;
/** Milliseconds between two tries of what NATS is not ready for. */
const RETRY_MS = 1000;

/** The first version whose streams keep what they acknowledged: docs/cluster.md. */
const VERSION_MIN = { major: 2, minor: 14 };
/** Bytes of a message that NATS must take: its default. */
export const MESSAGE_BYTES_MAX = 1_048_576;

/** NATS is not ready, and may be later. */
export class NatsNotReady extends Error {
  override name = "NatsNotReady";
}

export interface NatsAround {
  readonly log: Logger;
  readonly steadyMs: NowMs;
}

/** Repeats `attempt` while NATS is not ready, and logs the reason once a minute. */
export function awaitNats<T>(
  attempt: () => Promise<T>,
  { log, steadyMs, stopping }: NatsAround & { readonly stopping: AbortSignal },
): Promise<T> {
  return retried(attempt, {
    ...{ pauseMs: RETRY_MS, steadyMs, stopping },
    mayPass: (error) => error instanceof NatsNotReady,
    say: (error) => log.warn("nats.awaited", { problem: (error as Error).message }),
  });
}

export class NatsLink {
  readonly connection: NatsConnection;
  readonly #around: NatsAround;
  #isConnected = true;
  #reconnects = 0;

  private constructor(connection: NatsConnection, around: NatsAround) {
    this.connection = connection;
    this.#around = around;
  }

  /**
   * Connects to the first server that answers; later to the others too. `name` is shown by NATS, and the answers to this
   * node's requests come under a subject of the room. Throws `NatsNotReady`, or `CannotStart` if waiting does not help.
   */
  static async open(
    settings: NatsSettings,
    { name, room, ...around }: NatsAround & { readonly name: string; readonly room: string },
  ): Promise<NatsLink> {
    const options = { ...await connectionOptions(settings), name, inboxPrefix: `chatter.${room}.inbox` };
    const problems: string[] = [];
    for (const server of settings.servers) {
      const connection = await dial(server, settings, options).catch((error) => {
        problems.push(problemOfDial(server, error));
        return undefined;
      });
      if (connection === undefined) continue;
      const unfit = connection.info && problemOfServer(connection.info);
      if (unfit !== undefined) {
        await connection.close();
        throw new CannotStart(`NATS at ${server} ${unfit}`);
      }
      connection.setServers([...settings.servers]);
      const link = new NatsLink(connection, around);
      link.#connected();
      link.#watch();
      return link;
    }
    throw new NatsNotReady(problems.join("; "));
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async #watch(): Promise<void> {
    const { log, steadyMs } = this.#around;
    const losses = new LogThrottle(steadyMs);
    let nextRefusalMs = -Infinity;
    const refused = (problem: string) => {
      if (steadyMs() < nextRefusalMs) return;
      log.error("nats.refused", { problem });
      nextRefusalMs = steadyMs() + LINE_MS;
    };
    for await (const status of this.connection.status()) {
      switch (status.type) {
        // The client reports one loss, and one return, once for each try to connect.
        case "disconnect":
          if (!this.#isConnected) break;
          this.#isConnected = false;
          losses.log((suppressed) => log.warn("nats.lost", { server: status.server, suppressed }));
          break;
        case "reconnect": {
          if (this.#isConnected) break;
          this.#isConnected = true;
          this.#reconnects++;
          this.#connected();
          const { info } = this.connection;
          const unfit = info && problemOfServer(info);
          if (unfit !== undefined) refused(`${status.server} ${unfit}`);
          break;
        }
        case "error":
          refused(status.error.message);
      }
    }
    this.#isConnected = false;
  }

  #connected(): void {
    const { info } = this.connection;
    const server = this.connection.getServer();
    this.#around.log.info("nats.connected", { server, name: info?.server_name, version: info?.version });
  }
}

async function connectionOptions(settings: NatsSettings): Promise<ConnectionOptions> {
  const { user, password, credsFile, caFile } = settings;
  if (password !== undefined && user === undefined) {
    throw new CannotStart(
      "CHATTER_CLUSTER_PASSWORD is set, and no URL of --cluster names its user, as in nats://chatter@a:4222",
    );
  }
  if (credsFile !== undefined && user !== undefined) {
    throw new CannotStart(
      "The file of --cluster-creds says who the user is: leave the user out of --cluster",
    );
  }
  const creds = credsFile === undefined ? undefined : await readNamed("--cluster-creds", credsFile);
  const ca = caFile === undefined ? undefined : await readNamed("--cluster-ca", caFile);
  return {
    noRandomize: true,
    // The operator names the servers; their own names for themselves may mean nothing here.
    ignoreClusterUpdates: true,
    maxReconnectAttempts: -1,
    // A password that NATS refuses while it is changed there may be right again.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    pingInterval: PING_MS,
    maxPingOut: PINGS_OUT_MAX,
    timeout: CONNECT_MS,
    noAsyncTraces: true,
    ...creds !== undefined && { authenticator: authenticatorOf(creds) },
    ...user !== undefined && { user, pass: password ?? "" },
    ...ca !== undefined ? { tls: { ca } } : settings.servers[0]?.startsWith("tls:") && { tls: {} },
  };
}

function authenticatorOf(creds: string): ReturnType<typeof credsAuthenticator> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
  try {
    authenticator("a nonce to sign");
  } catch {
    throw new CannotStart("The file of --cluster-creds has no credentials of NATS, a JWT and a seed");
  }
  return authenticator;
}

/** With an option of Deno's that browsers, whose types the pages bring in, do not have. */
const SocketOfDeno = WebSocket as unknown as new (
  url: string,
  options: { client: Deno.HttpClient },
) => WebSocket;

function dial(
  server: string,
  { servers }: NatsSettings,
  options: ConnectionOptions,
): Promise<NatsConnection> {
  if (!/^wss?:/.test(servers[0] ?? "")) return connect({ ...options, servers: [server] });
  const { tls, ...rest } = options;
  const ca = tls?.ca;
  if (ca === undefined) return wsconnect({ ...rest, servers: [server] });
  const wsFactory: WsSocketFactory = (url) => {
    const client = Deno.createHttpClient({ caCerts: [ca] });
    const socket = new SocketOfDeno(url, { client });
    socket.addEventListener("close", () => client.close());
    return Promise.resolve({ socket, encrypted: url.startsWith("wss:") });
  };
  return wsconnect({ ...rest, servers: [server], wsFactory });
}

/** The reason why a server was not reached now. Throws `CannotStart` if it will not be reached later. */
function problemOfDial(server: string, error: unknown): string {
  const message = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    throw new CannotStart(
      `NATS at ${server} refuses this user (${message}): set the user in --cluster and CHATTER_CLUSTER_PASSWORD, ` +
        "or --cluster-creds, to what its configuration has",
    );
  }
  if (/certificate|self-signed|CERT_|UnknownIssuer/i.test(message)) {
    throw new CannotStart(
      `This machine does not trust the certificate of NATS at ${server} (${message}): name the file of its authority ` +
        "by --cluster-ca, and give a host name that the certificate has",
    );
  }
  if (/does not support 'tls'/.test(message)) {
    throw new CannotStart(`NATS at ${server} has no TLS, which tls:// and --cluster-ca ask for`);
  }
  return `${server}: ${message === "timeout" ? `no answer in ${CONNECT_MS} ms` : message}`;
}

/** Why a server can never do for the log, in words that follow its name; undefined if it does. */
function problemOfServer(
  { version, jetstream, max_payload: payloadMax }: Pick<ServerInfo, "version" | "jetstream" | "max_payload">,
): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { major: majorMin, minor: minorMin } = VERSION_MIN;
  if (major < majorMin || major === majorMin && minor < minorMin) {
    return `has version ${version}; ${majorMin}.${minorMin} or later keeps what it acknowledges`;
  }
  if (jetstream !== true) {
    return "has no JetStream: add jetstream { sync_interval: always } to its configuration";
  }
  if (payloadMax < MESSAGE_BYTES_MAX) {
    return `takes messages of ${payloadMax} bytes only: set max_payload in its configuration to 1MB or more`;
  }
  return undefined;
}
