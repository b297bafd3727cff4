/**
 * The table of scenarios: arguments of the load generator, the figures shown, and the goals of issue 18. Pure.
 *
 * @module
 */

/** A figure of the load generator as a column. */
export interface Column {
  readonly key: string;
  readonly title: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** A chat room with clients, or a listing that is read. */
  readonly kind: "room" | "list";
  /** Arguments of the load generator, without the times. */
  readonly load: readonly string[];
  /** Factor for the measured seconds: scenarios with few events need more of them. */
  readonly longer: number;
  readonly columns: readonly Column[];
  /** The figure that is compared with other servers. */
  readonly compared: string;
  /** Servers that behave here like another one that is measured. */
  readonly without: readonly string[];
  /** Servers on the list, the encoding of its answer, and PUTs per second meanwhile. */
  readonly list?: {
    readonly servers: number;
    readonly coding: "gzip" | "identity";
    readonly putsPerSecond: number;
  };
}

const CPU_COLUMNS: readonly Column[] = [
  { key: "server_cpu_percent", title: "server CPU %" },
  { key: "generator_busy_percent", title: "generator busy %" },
  { key: "other_cpu_percent", title: "others' CPU %" },
];

function closedLoop(
  name: string,
  title: string,
  [clients, senders, outstanding]: readonly [number, number, number],
): Scenario {
  return {
    name,
    title,
    about: `${clients} clients, ${senders} of them send, ${outstanding} outstanding each: ` +
      "the next message when one of its own came back",
    kind: "room",
    load: ["closed", "--clients", `${clients}`, "--senders", `${senders}`, "--outstanding", `${outstanding}`],
    longer: 1,
    columns: [
      { key: "deliveries_per_s", title: "deliveries/s" },
      { key: "p99_us", title: "p99 µs" },
      { key: "frames_per_read", title: "frames a read" },
      { key: "server_cpu_s_per_million", title: "CPU s a million" },
      ...CPU_COLUMNS,
    ],
    compared: "deliveries_per_s",
    without: [],
  };
}

function paced(name: string, title: string, messagesPerSecond: number, longer: number): Scenario {
  return {
    name,
    title,
    about: `200 clients, 20 of them send ${messagesPerSecond} messages/s in all, whatever the server does: ` +
      "a latency counts from when its message was due",
    kind: "room",
    load: ["paced", "--clients", "200", "--senders", "20", "--rate", `${messagesPerSecond}`],
    longer,
    columns: [
      { key: "p50_us", title: "p50 µs" },
      { key: "p99_us", title: "p99 µs" },
      { key: "deliveries_per_s", title: "deliveries/s" },
      { key: "server_cpu_s_per_million", title: "CPU s a million" },
      ...CPU_COLUMNS,
    ],
    compared: "p99_us",
    without: [],
  };
}

const LIST_KINDS = {
  plain: { title: "", about: "", load: [] },
  gzip: { title: ", gzip", about: ", compressed", load: ["--gzip"] },
  "304": { title: ", 304", about: ", naming the ETag that was answered before", load: ["--conditional"] },
} as const;

/** PUTs per second while the list is read. */
const PUTS_PER_SECOND = 50;

function list(servers: number, kind: keyof typeof LIST_KINDS): Scenario {
  const { title, about, load } = LIST_KINDS[kind];
  return {
    name: `list${servers / 1000}k${kind === "plain" ? "" : `-${kind}`}`,
    title: `The list of ${servers.toLocaleString("en")} servers${title}`,
    about: `GET /servers over 16 kept connections${about}, while ${PUTS_PER_SECOND} PUTs/s change the list ` +
      "(not the bare server's)",
    kind: "list",
    load: ["http", "--path", "/servers", "--clients", "16", ...load],
    longer: 0.7,
    columns: [
      { key: "answers_per_s", title: "answers/s" },
      { key: "p99_us", title: "p99 µs" },
      { key: "share_304", title: "of them 304" },
      { key: "bytes_of_a_body", title: "bytes a body" },
      { key: "server_cpu_s_per_thousand", title: "CPU s a thousand" },
      ...CPU_COLUMNS,
    ],
    compared: "answers_per_s",
    without: [],
    list: { servers, coding: kind === "gzip" ? "gzip" : "identity", putsPerSecond: PUTS_PER_SECOND },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  closedLoop("fanout100", "Fan-out to 100", [100, 8, 1]),
  closedLoop("fanout1000", "Fan-out to 1000", [1000, 8, 1]),
  closedLoop("burst", "Bursts", [32, 32, 64]),
  closedLoop("one-sender", "One sender", [100, 1, 1]),
  paced("paced100k", "100,000 deliveries/s", 500, 1),
  paced("paced50", "50 messages/s", 50, 2),
  {
    name: "idle",
    title: "Idle sessions and connecting",
    about:
      "10,000 clients connect, 64 at once, and say nothing; memory is the growth of RSS from the start " +
      "of the server to 2 s after the last came in",
    kind: "room",
    load: ["idle", "--clients", "10000"],
    longer: 1,
    columns: [
      { key: "kib_per_session", title: "KiB a session" },
      { key: "connect_per_s", title: "connects/s" },
      { key: "server_cpu_percent", title: "server CPU % connecting" },
      { key: "generator_cpu_percent", title: "generator CPU % connecting" },
      { key: "idle_server_cpu_percent", title: "server CPU % idle" },
    ],
    compared: "kib_per_session",
    // An idle session has nothing on disk.
    without: ["chatter-ws-file", "chatter-serve-file"],
  },
  ...[1000, 10_000].flatMap((servers) =>
    (["plain", "gzip", "304"] as const).map((kind) => list(servers, kind))
  ),
];

/** What a short run measures. */
export const QUICK_SCENARIOS: readonly string[] = ["fanout100", "burst", "one-sender", "idle"];

/** A goal for one server's median: alone, as a ratio to another's, or as what it is over another's. */
export interface Goal {
  readonly server: string;
  readonly scenario: string;
  readonly figure: string;
  /** Undefined for the figure alone. */
  readonly of: string | undefined;
  /** The difference instead of the ratio. */
  readonly isOver?: boolean;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const LISTS = SCENARIOS.filter(({ kind }) => kind === "list").map(({ name }) => name);

function rate(server: string, scenario: string, of: string, atLeast: number): Goal {
  return { server, scenario, figure: "deliveries_per_s", of, atLeast };
}

export const GOALS: readonly Goal[] = [
  rate("chatter-ws", "fanout100", "bun", 0.92),
  rate("chatter-ws", "fanout1000", "bun", 0.92),
  rate("chatter-ws", "one-sender", "bun", 0.92),
  rate("chatter-ws", "burst", "bun", 2),
  { server: "chatter-ws", scenario: "paced100k", figure: "p99_us", of: "bun", atMost: 1.2 },
  rate("chatter-ws-file", "burst", "chatter-ws", 0.9),
  { server: "chatter-ws-file", scenario: "paced50", figure: "p99_us", of: "chatter-ws", atMost: 1.5 },
  ...["fanout100", "fanout1000", "burst", "one-sender"].map((scenario) =>
    rate("chatter-serve", scenario, "deno-serve", 0.97)
  ),
  { server: "chatter-ws", scenario: "idle", figure: "kib_per_session", of: undefined, atMost: 9 },
  {
    ...{ server: "chatter-serve", scenario: "idle", figure: "kib_per_session" },
    ...{ of: "deno-serve", isOver: true, atMost: 1 },
  },
  { server: "chatter-ws", scenario: "idle", figure: "connect_per_s", of: "node-ws", atLeast: 1.3 },
  { server: "chatter-serve", scenario: "idle", figure: "connect_per_s", of: "deno-serve", atLeast: 0.9 },
  ...LISTS.map((scenario): Goal => ({
    server: "listing",
    scenario,
    figure: "answers_per_s",
    of: "bare-http",
    atLeast: 0.9,
  })),
];
