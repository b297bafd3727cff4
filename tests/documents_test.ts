/**
 * The documents held to the code: tables of the documents against tables of the code, the code map against the
 * folders, citations and links against what they point at.
 *
 * The transcripts are transcripts_test.ts's, and what the code cites is tidy_test.ts's.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CLOSE } from "../src/protocol/close_codes.ts";
import config from "../deno.json" with { type: "json" };
import { ADMIN_REFUSALS } from "../chat/admin/refusals.ts";
import { BURSTS_PER_ADDRESS } from "../chat/gateway/address_shares.ts";
import { HTTP_CONNECTIONS_PER_ADDRESS_MIN } from "../chat/gateway/admission.ts";
import { SEARCHES_MAX } from "../chat/order/searches.ts";
import { replayBytesMax } from "../chat/resume/recovery.ts";
import { BANS_MAX } from "../chat/room/bans.ts";
import { REPLAY_BROADCASTS_MAX } from "../chat/room/replay_buffer.ts";
import { NONCES_MAX } from "../chat/room/room_state.ts";
import { UNITS_OF_A_MESSAGE } from "../chat/room/search.ts";
import { CLOSE_TIMEOUT_MS } from "../chat/sockets/connection_ws.ts";
import { FRAGMENTS_MAX } from "../chat/sockets/handshake_ws.ts";
import { REQUESTS_AHEAD_MAX } from "../chat/sockets/http_connections.ts";
import { HEAD_BYTES_MAX, HEADERS_MAX, HTTP_CONNECTIONS_MAX, HTTP_WAITS } from "../chat/sockets/http_node.ts";
import { LINGER_BYTES_MAX } from "../chat/sockets/lingering_closes.ts";
import { AHEAD_MS_MAX, BELIEVED_AFTER_MS } from "../chat/store/confirmed_clock.ts";
import { SWEEP_INTERVAL_SECONDS } from "../chat/store/retention.ts";
import { REFUSALS } from "../listing/refusals.ts";
import { type Command, COMMANDS, typedFlag } from "../src/cli/commands.ts";
import { LISTING_LIMITS } from "../src/announcement/listing_limits.ts";
import { CLIENT_FAULTS } from "../src/client/chat_error.ts";
import { WAITING_EVENTS_MAX, WAITING_UNITS_MAX } from "../src/client/event_queue.ts";
import { REQUESTS_MAX } from "../src/client/pending_answers.ts";
import { DRAFTS_MAX } from "../src/client/session/chat_session.ts";
import { SET_BACK_MS } from "../src/clock.ts";
import { FAULTS } from "../src/protocol/faults.ts";
import {
  BAN_MESSAGE_LENGTH_MAX,
  DEFAULT_LIMITS,
  HISTORY_ANSWER_BYTES_MAX,
  type Limit,
  LIMITS,
} from "../src/protocol/limits.ts";
import { BEGINNING_MAX } from "../src/text/reply.ts";
import { withCurrentParts } from "../tools/commands_document.ts";
import { documentPaths, PROTOCOL_DOCUMENTS, readDocument } from "./support/documents.ts";
import { citesWhatExists, sectionsOf } from "./support/source_rules.ts";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = await documentPaths();

const texts = new Map(
  await Promise.all(
    DOCUMENTS.map(async (name): Promise<[string, string]> => [name, await readDocument(name)]),
  ),
);
const codeFiles = (await Promise.all(["src", "chat", "listing", "terminal"].map(filesUnder))).flat()
  .toSorted();

Deno.test("PROTOCOL.md §8 lists every fault with its text, in the order of the code", () => {
  const rows = tableUnder("PROTOCOL.md", "8. Faults");
  assertEquals(rows.map(({ name, text }) => [name, text]), Object.entries<string>(FAULTS));
  assertEquals(rows.filter(({ when }) => !when).map(({ name }) => name), []);
});

for (
  const [file, heading, limits] of [
    ["PROTOCOL.md", "7.1 Table", LIMITS],
    ["docs/listing_api.md", "9.10 Limits", LISTING_LIMITS],
  ] as const
) {
  Deno.test(`${file} §${heading} lists every limit with its unit, default, range and reason`, () => {
    assertEquals(
      tableUnder(file, heading).map(({ "past it": pastIt, ...row }) => ({
        ...row,
        isTold: pastIt !== "",
      })),
      Object.values<Limit>(limits).map(({ flag, unit, default: otherwise, min, max, reason, follows }) => ({
        flag: `--${flag}`,
        default: follows?.text ?? String(otherwise),
        unit,
        range: `${min} to ${max}`,
        reason,
        isTold: true,
      })),
    );
  });
}

Deno.test("PROTOCOL.md states the limits without a flag that tests know by their constants only", () => {
  const seconds = (ms: number) => `${ms / 1000} s`;
  const { request, nextRequest, silence, linger } = HTTP_WAITS;
  assertEquals([SET_BACK_MS, SWEEP_INTERVAL_SECONDS * 1000], [60_000, 60_000], "a minute");
  assertEquals([BELIEVED_AFTER_MS, AHEAD_MS_MAX], [3_600_000, 86_400_000], "an hour, and a day");
  assertEquals([SEARCHES_MAX, BURSTS_PER_ADDRESS, LINGER_BYTES_MAX], [2, 4, 2 ** 20], "in words, and 1 MiB");
  assertEquals(replayBytesMax(DEFAULT_LIMITS), DEFAULT_LIMITS.maxOutboxBytes / 2, "half of it");
  const stated: [heading: string, sentence: string][] = [
    ["4.2 Message ids", "while the clock is less than a minute behind it"],
    ["4.5 What texts mean", `longer than ${BEGINNING_MAX} characters`],
    ["5.4 history", `An answer has at most ${HISTORY_ANSWER_BYTES_MAX} bytes`],
    ["5.4 history", "for up to a minute, until it removes them"],
    ["5.4 history", "For an hour the server does not believe a clock that is more than a day ahead"],
    ["5.6 search", `one more for each ${UNITS_OF_A_MESSAGE} UTF-16 units`],
    ["5.6 search", "A server has two searches under way"],
    ["6.3 Bans", `of 1 to ${BAN_MESSAGE_LENGTH_MAX} characters`],
    ["7.1 Table", `at most ${BANS_MAX} bans`],
    ["7.1 Table", `\`ws\` cuts the connection after ${seconds(CLOSE_TIMEOUT_MS)}`],
    ["7.4 Flood", "a bucket of four times `--flood-burst` frames"],
    ["7.5 Addresses", `At most ${HTTP_CONNECTIONS_MAX} of them`],
    ["7.5 Addresses", `\`--max-sockets-per-address\`, but ${HTTP_CONNECTIONS_PER_ADDRESS_MIN} or more`],
    ["7.5 Addresses", `less than ${HEAD_BYTES_MAX} bytes, in at most ${HEADERS_MAX} headers`],
    ["7.5 Addresses", `A request arrives whole within ${seconds(request)}`],
    ["7.5 Addresses", `A connection waits ${seconds(nextRequest)} for the next request`],
    ["7.5 Addresses", `without a whole request for ${seconds(request + nextRequest)}`],
    ["7.5 Addresses", `For ${seconds(linger)}, and up to 1 MiB`],
    ["7.5 Addresses", `More than ${REQUESTS_AHEAD_MAX} unanswered requests, or ${seconds(silence)} without`],
    ["8.1 Close codes", `more than ${FRAGMENTS_MAX} fragments`],
    [
      "12.3 Held sessions, and RESUME",
      `more than the server can replay: ${REPLAY_BROADCASTS_MAX} broadcasts`,
    ],
    ["12.4 SEND", `the last ${NONCES_MAX} nonces`],
  ];
  const missing = stated.filter(([heading, sentence]) =>
    !sectionOf("PROTOCOL.md", heading).replaceAll(/\s+/g, " ").includes(sentence)
  );
  assertEquals(missing, []);
});

Deno.test("PROTOCOL.md §8.1 lists every close code that the server names", () => {
  const rows = tableUnder("PROTOCOL.md", "8.1 Close codes").map(({ code, reason }) => `${code} ${reason}`);
  const missing = Object.values(CLOSE).map(({ code, reason }) => `${code} ${reason}`)
    .filter((close) => !rows.includes(close));
  assertEquals(missing, []);
});

Deno.test("docs/listing_api.md §9.9 lists every refusal of the listing with its status and text", () => {
  const rows = tableUnder("docs/listing_api.md", "9.9 Keys and refusals");
  assertEquals(
    rows.map(({ name, status, text }) => [name, status, text]),
    Object.entries(REFUSALS).map(([name, { status, text }]) => [name, String(status), text]),
  );
  assertEquals(rows.filter(({ when }) => !when).map(({ name }) => name), []);
});

Deno.test("docs/admin_api.md §11.3 lists every refusal of the admin API with its status and text", () => {
  const rows = tableUnder("docs/admin_api.md", "11.3 Refusals");
  assertEquals(
    rows.map(({ name, status, text }) => [name, status, text]),
    Object.entries(ADMIN_REFUSALS).map(([name, { status, text }]) => [name, String(status), text]),
  );
  assertEquals(rows.filter(({ when }) => !when).map(({ name }) => name), []);
});

Deno.test("docs/client.md lists every error of the client and every event, and has its limits", async () => {
  assertEquals(
    tableUnder("docs/client.md", "Errors").map(({ code }) => code).toSorted(),
    Object.keys(CLIENT_FAULTS).toSorted(),
  );
  const events = await Deno.readTextFile(new URL("src/client/chat_events.ts", ROOT));
  const types = [...events.matchAll(/^ {2}readonly type: "([a-z]+)";$|^ {2}\| ChangeEvent<"([a-z]+)">$/gm)]
    .map(([, plain, change]) => plain ?? change);
  const listed = tableUnder("docs/client.md", "Events").map(({ event }) => event);
  assertEquals(listed.toSorted(), types.toSorted());
  const limits = tableUnder("docs/client.md", "Limits").map((row) => row["at most"]);
  const figure = (limit: number) => limit.toLocaleString("en");
  assertEquals(limits.slice(0, 3), [
    figure(DRAFTS_MAX),
    figure(REQUESTS_MAX),
    `${figure(WAITING_EVENTS_MAX)}, with ${figure(WAITING_UNITS_MAX)} UTF-16 units of text`,
  ]);
});

Deno.test("docs/commands.md has every command and flag, as deno task docs writes them", () => {
  const document = texts.get("docs/commands.md")!;
  assertEquals(withCurrentParts(document), document);
  for (const [name, command] of Object.entries<Command>(COMMANDS)) {
    const section = sectionOf("docs/commands.md", `chatter ${name}`);
    assertEquals(flagsOf(command).filter((flag) => flag !== "--help" && !section.includes(flag)), []);
  }
});

Deno.test("docs/commands.md without the part of a command, or with one of no command, cannot be written", () => {
  const document = texts.get("docs/commands.md")!;
  assertThrows(
    () => withCurrentParts(document.replace("generated: man", "removed")),
    Error,
    "no part for man",
  );
  assertThrows(
    () => withCurrentParts(document.replace("generated: man", "generated: woman")),
    Error,
    "too many",
  );
});

Deno.test("ARCHITECTURE.md maps every folder of src, chat, listing and terminal, and none that is not there", () => {
  const map = sectionOf("ARCHITECTURE.md", "Code map");
  const mapped = [...map.matchAll(/^\| `([^`]+)\/` +\| (?=\S)/gm)].map(([, folder = ""]) => folder)
    .toSorted();
  const folders = new Set(codeFiles.map((file) => file.slice(0, file.lastIndexOf("/"))));
  for (const top of ["src", "chat", "listing"]) folders.delete(top);
  assertEquals(mapped, [...folders].toSorted());
});

Deno.test("docs/dependencies.md gives a reason for every package of the import map, and for no other", () => {
  const fetched = Object.values<string>(config.imports).filter((target) => !target.startsWith("./"));
  const packages = fetched.map((target) => /^npm:\/?((?:@[^/]+\/)?[^@/]+)@/.exec(target)?.[1] ?? target);
  const rows = tableUnder("docs/dependencies.md", "Dependencies");
  assertEquals(rows.map((row) => row.package).toSorted(), [...new Set(packages)].toSorted());
  assertEquals(rows.filter(({ why }) => !why).map((row) => row.package), []);
});

Deno.test("every section of the protocol that a document cites is in one of the protocol's", () => {
  const sections = sectionsOf(PROTOCOL_DOCUMENTS.map((name) => texts.get(name)!).join("\n"));
  const cites = citesWhatExists(sections);
  assertEquals([...texts].flatMap(([path, text]) => cites({ path, text }).map((it) => `${path} ${it}`)), []);
});

for (const name of DOCUMENTS) {
  Deno.test(`every link and every file that ${name} names is there`, async () => {
    const text = texts.get(name)!;
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target));
    const dead: string[] = [];
    for (const link of links) {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? name : new URL(path, `file:///${name}`).pathname.slice(1);
      if (!(await exists(file))) dead.push(link);
      else if (anchor !== undefined && !headingsOf(file).map(slugOf).includes(anchor)) dead.push(link);
    }
    // A path in code type, of a folder or a file of the project.
    for (
      const [, path = ""] of text.matchAll(
        /`((?:src|chat|listing|terminal|tests|tools|docs|packages)\/[\w./]*)`/g,
      )
    ) {
      if (!(await exists(path))) dead.push(path);
    }
    assertEquals(dead, []);
  });
}

Deno.test("docs/README.md names every guide", () => {
  const rows = tableUnder("docs/README.md", "Guides").map(({ guide }) => /^\[(.+)\]/.exec(guide!)?.[1]);
  const guides = DOCUMENTS.filter((name) => /^docs\/[^/]+$/.test(name) && name !== "docs/README.md");
  assertEquals(rows.toSorted(), guides.map((name) => name.slice("docs/".length)).toSorted());
});

Deno.test("every event of the log that docs/operations.md explains is one that the program logs", async () => {
  const sources = await Promise.all(
    codeFiles.filter((file) => file.endsWith(".ts")).map((file) => Deno.readTextFile(new URL(file, ROOT))),
  );
  const events = tableUnder("docs/operations.md", "Monitoring")
    .flatMap((row) => [...row.event!.matchAll(/[a-z]+(?:[._][a-z]+)+|^bug$/g)].map(([event]) => event));
  assert(events.length > 10, `${events.length} events`);
  assertEquals(events.filter((event) => !sources.some((source) => source.includes(`"${event}"`))), []);
});

Deno.test("what documents name in a line of text as a task, a command or a flag of one is one", () => {
  const wrong = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/`(deno task|chatter) ([a-z][a-z:-]*)([^`\n]*)`/g)]
      .filter(([, program, word = "", rest = ""]) => {
        if (program === "deno task") return !(word in config.tasks);
        if (word === "help") return false;
        const command: Command | undefined = Object.entries<Command>(COMMANDS).find(([name]) => name === word)
          ?.[1];
        return command === undefined || flagsIn(rest).some((flag) => !flagsOf(command).includes(flag));
      }).map(([command]) => `${file}: ${command}`)
  );
  assertEquals(wrong, []);
});

function flagsIn(text: string): string[] {
  return [...text.matchAll(/ (--[a-z-]+)/g)].map(([, flag = ""]) => flag);
}

/** The names of all flags that a command and its actions take. */
function flagsOf({ flags = {}, actions = {} }: Command): string[] {
  return [
    "--help",
    ...[flags, ...Object.values(actions).map(({ flags = {} }) => flags)].flatMap((table) =>
      Object.entries(table).map(([key, flag]) => typedFlag(key, flag).split(" ")[0]!)
    ),
  ];
}

Deno.test("documents fetch the Deno that CI runs", async () => {
  const version = /^version=(.+)$/m.exec(await readDocument(".ci/run"))?.[1];
  const others = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\bdeno@([0-9][0-9.]*[0-9])/g)].filter(([, named]) => named !== version)
      .map(([named]) => `${file}: ${named}`)
  );
  assertEquals(others, []);
});

type Row = Record<string, string>;

/** The first table under a heading, a row an object. */
function tableUnder(file: string, heading: string): Row[] {
  const [table = ""] = /^\|.*(?:\n\|.*)*/m.exec(sectionOf(file, heading)) ?? [];
  const [head = [], , ...rows] = table.split("\n").map((line) =>
    line.slice(1, -1).split("|").map((cell) => plain(cell.trim()))
  );
  assert(rows.length > 0, `${file} has no table under ${heading}`);
  return rows.map((cells) => Object.fromEntries(head.map((column, i) => [column, cells[i] ?? ""])));
}

/** A cell's text without code type around all of it, or around `<key>`, which would be a tag else. */
function plain(cell: string): string {
  return cell.replace(/^`([^`]+)`$/, "$1").replaceAll(/`(<\w+>)`/g, "$1");
}

/** What stands between a heading and the next one of any level. */
function sectionOf(file: string, heading: string): string {
  const lines = texts.get(file)!.split("\n");
  const start = lines.findIndex((line) => line.replace(/^#+ /, "") === heading && line.startsWith("#"));
  assert(start >= 0, `${file} has no heading ${heading}`);
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** Headings without their marks; a `#` inside of a fenced block is none. */
function headingsOf(file: string): string[] {
  const outside = texts.get(file)!.replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, "");
  return [...outside.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
}

/** The anchor that a forge gives a heading. */
function slugOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

async function filesUnder(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await filesUnder(path));
    else files.push(path);
  }
  return files;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("SECURITY.md names for each threat a test that exists", async () => {
  const security = texts.get("SECURITY.md")!;
  const rows = [...security.matchAll(/`(tests\/[^`]+_test\.ts)` "([^"]+)"/g)];
  assert(rows.length > 20, `${rows.length} rows`);
  for (const [, path, name] of rows) {
    const source = await Deno.readTextFile(new URL(path!, ROOT));
    assert(source.includes(name!), `${path} has no test "${name}"`);
  }
});
