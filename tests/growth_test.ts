/**
 * Whatever a peer sends is dealt with in time that is proportional to its length: every function that reads text of a
 * peer, of a file or of a terminal is given hostile texts of growing length. The analyser of
 * regular_expressions_test.ts finds the patterns; this finds loops and libraries too.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { eventLine } from "../terminal/plain_client.ts";
import { forwardedAddress, normalizeIp, parseAddress, parseServerUrl } from "../src/address.ts";
import { areTags, canonicalLanguage, isDescription, isServerName } from "../src/announcement/announcement.ts";
import { announcementSchema } from "../src/announcement/schema.ts";
import { httpUrl, listOf } from "../src/cli/flag.ts";
import { readConfigFile } from "../src/cli/config_file.ts";
import { lineFormatter } from "../src/logging/log_line.ts";
import {
  decodeClientFrame,
  decodeServerFrame,
  readHistory,
  readServerInfo,
  readUsers,
} from "../src/protocol/codec.ts";
import { DEFAULT_LIMITS } from "../src/protocol/limits.ts";
import { nearestUsername, parseUsername, withoutNameCharacters } from "../src/protocol/names.ts";
import { containsWords, foldText } from "../src/protocol/search_words.ts";
import { linkParts } from "../src/text/links.ts";
import { messageText } from "../src/text/message_text.ts";
import { plainLetters } from "../src/text/plain_letters.ts";
import { replyLine } from "../src/text/reply.ts";
import { readCommand, WORDS } from "../src/client/slash_commands.ts";
import { nearSpelling } from "../src/near_spelling.ts";
import { Roster } from "../src/client/session/roster.ts";
import { formatIssues } from "../src/schema_issues.ts";
import { BearerToken } from "../src/serving/bearer_token.ts";
import { acceptsGzip, isNotModified, prefersHtml } from "../src/serving/negotiation.ts";
import { adminBodies } from "../chat/admin/schemas.ts";
import { reasonText } from "../chat/announce/listing_client.ts";
import { Bans, readAddressBlock } from "../chat/room/bans.ts";
import { inLocalTime } from "../chat/web/page/local_time.ts";
import { nameProblem } from "../chat/web/people/name_check.ts";
import { isEmojiOnly } from "../chat/web/log/rich_text.ts";
import { excerptOf } from "../chat/web/search/excerpt.ts";
import { ChangeLog } from "../listing/list/change_log.ts";
import { readCursor } from "../listing/list/page.ts";
import { readAuthorization } from "../listing/registry/keys.ts";
import { listQuerySchema, peopleQuerySchema } from "../listing/http/routes.ts";
import { readChoice, shown as shownServers } from "../listing/web/order.ts";
import { initialOf } from "../listing/web/wording.ts";
import { webAddress } from "../listing/web/wording.ts";
import { importLines, linesOf } from "../terminal/import_lines.ts";
import { LineSplitter } from "../terminal/line_splitter.ts";
import { socketReason } from "../terminal/problem.ts";
import { cellsOf, cut, graphemes, wrapWords } from "../terminal/screen/cells.ts";
import { ChatLines, quoted, shown } from "../terminal/screen/chat_lines.ts";
import { KeyDecoder } from "../terminal/screen/keys.ts";
import { LineEditor } from "../terminal/screen/line_editor.ts";
import { PromptScreen } from "../terminal/screen/prompt_screen.ts";
import { completionOf } from "../terminal/screen/line_completion.ts";
import { printable, table } from "../terminal/screen/table.ts";
import { FakeDriver } from "./support/fake_driver.ts";
import { superlinear } from "./support/growth.ts";
import { PIECES } from "./support/hostile_inputs.ts";
import { IS_LONG_RUN } from "./support/property_runs.ts";

/** What surrounds it: nothing, or what makes a pattern fail at the end. */
const FRAMES = [["", ""], ["a", "\x01 b"]] as const;

/** Characters of the longest text: as many as the default limit of a frame. */
const TEXT_LENGTH_MAX = 1 << 16;

type Read = (text: string) => unknown;

/** A header's value: no other character gets as far. */
const header = (name: string, read: (request: Request) => unknown): Read => (text) =>
  read(
    new Request("http://a/", {
      headers: { [name]: text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, "\xa0") + "b" },
    }),
  );

const hono = new Hono().get("/servers/:id", (c) => c.json(c.req.query())).get("*", (c) => c.text(c.req.path));
const changes = new ChangeLog("epoch");
const bearer = new BearerToken("token");
const bodies = adminBodies(DEFAULT_LIMITS);
const line = lineFormatter("pretty", true);
const json = lineFormatter("json", false);
const lines = new ChatLines((_, text) => text, 0, { own: () => "a", isName: () => false });
const uuid = "00000000-0000-7000-8000-000000000000";
const listed = [{ displayName: "a".repeat(64), address: "a:1", id: 1, connectedUsers: 1 }];

const READERS: Readonly<Record<string, Read>> = {
  "a frame of a client": (text) => {
    for (
      const type of [
        "",
        "c2/",
        "c2/MSG 1; ",
        "c2/CONNECT ",
        "c2/QUERY history; ",
        "c2/SEND a; 1; ",
        "c2/RESUME ",
      ]
    ) {
      decodeClientFrame(type + text, { maxMessageLength: 1e9 }, true);
    }
  },
  "a frame of a server": (text) => {
    for (const type of ["", "c2/", "c2/MSG a; 1; ", "c2/UPDATE ", "c2/DISCONNECT ban; a; ", "c2/PING "]) {
      decodeServerFrame(type + text);
    }
  },
  "an answer of a server": (
    text,
  ) => [readUsers(text), readUsers(`[${text}]`), readHistory(text), readServerInfo(text)],
  "a text that is searched": (text) => containsWords(foldText(text), ["word"]),
  "a username": (text) => [parseUsername(text), parseUsername(text.slice(0, 32))],
  "the username nearest to a text": (text) => nearestUsername(text, "a"),
  "what is no letter of a name": withoutNameCharacters,
  "an address": (text) => [parseAddress(text, "127.0.0.1"), readAddressBlock(text), webAddress(text)],
  "a server's URL": parseServerUrl,
  "an IP address": normalizeIp,
  "X-Forwarded-For": (
    text,
  ) => [forwardedAddress(text), forwardedAddress(`[${text}`), forwardedAddress(`1${text}:1`)],
  "a server's name": isServerName,
  "a server's description, tags and language": (
    text,
  ) => [isDescription(text), areTags([text]), canonicalLanguage(text)],
  "an announcement": (text) =>
    announcementSchema.safeParse({ serverName: text, address: text, [text]: 1 }).error,
  "what is wrong with a body": (text) =>
    formatIssues(bodies.ban.safeParse({ name: text, [text]: text }).error!),
  "bodies of the admin API": (
    text,
  ) => [bodies.announce.safeParse({ text }), bodies.ban.safeParse({ message: text })],
  "a query of the list": (text) =>
    listQuerySchema.safeParse({ q: text, limit: text, cursor: text, sort: text }),
  "a query for the people of servers": (ids) => peopleQuerySchema.safeParse({ ids }),
  "a cursor": readCursor,
  "a position of events": (text) => changes.readPosition(text),
  "Authorization of a listing": readAuthorization,
  "Authorization of an operator": (text) => bearer.judge(`Bearer ${text}`, "127.0.0.1", 0),
  "Accept": header("accept", prefersHtml),
  "Accept-Encoding": header("accept-encoding", acceptsGzip),
  "If-None-Match": header("if-none-match", (request) => isNotModified(request, 'W/"a"')),
  "the path of a request": (text) => hono.request(`/servers/${encodeURIComponent(text)}/${encodeURI(text)}`),
  "the query of a request": (text) => hono.request(`/servers/1?${encodeURI(text)}`),
  "a configuration file": (text) => readConfigFile("file", () => text),
  "a name in a configuration file": (text) =>
    readConfigFile("file", () => `{"chat": {${JSON.stringify(text)}: 1}}`),
  "a value in a configuration file": (text) =>
    readConfigFile("file", () => `{"name": ${JSON.stringify(text)}}`),
  "a comment in a configuration file": (text) => readConfigFile("file", () => `{} // ${text}`),
  "a flag with a URL": (text) => httpUrl.read(`http://a${text}`),
  "a flag with a list": (text) => listOf("X", "x", (one) => one).read(text),
  "a file of import": (text) =>
    importLines("file", linesOf(inParts(text)), () => Promise.reject(new Error())),
  "a listing's answer in the log": (answer) => reasonText({ answered: true, status: 400, text: answer }),
  "a line of the log": (text) => [line, json].map((format) => format(recordOf(text))),
  "links in a text": (text) => [linkParts(text), linkParts(`http://a/${text}`)],
  "a message's text": (
    text,
  ) => [messageText(text, () => false), messageText(`/me ${text}`, (name) => name === "a b")],
  "a reply": (text) => [replyLine("a", text), messageText(`> a: ${text}\nb`)],
  "emoji in the page": isEmojiOnly,
  "the end of a ban in the page": (text) => [inLocalTime(text), inLocalTime(`(until ${text}`)],
  "a name that is looked for by its letters": (text) => plainLetters(foldText(text)),
  "a found message in the page": (text) => excerptOf(text, "a\u0301 b"),
  "a name typed in the page": nameProblem,
  "a search typed in the page": (q) =>
    shownServers(listed as never, {
      sort: "id",
      q,
      tag: q,
      language: q,
      full: true,
      empty: true,
      ping: false,
    }),
  "the address of the listing's page": (text) => readChoice(new URLSearchParams(text)),
  "the icon of a listed server": (text) => [initialOf(text), initialOf(`é${text}`)],
  "cells of a terminal": (text) => [cellsOf(text), graphemes(text), cut(text, 40)],
  "words of a terminal": (text) => wrapWords(text, 20, 40),
  "text for a terminal": (text) => [printable(text), shown(text), quoted(text), socketReason(text, "")],
  "a message on a terminal": (text) => {
    const message = { uuid, username: text, timestamp: 1, receivedMs: 1, text, edited: false, isOwn: false };
    return lines.message(message).map((rows) => rows(40));
  },
  "a message in a pipe": (text) =>
    eventLine({ type: "left", username: text, kind: "ban", message: text, isOwn: false }),
  "a table": (text) => table(["A"], [[text]]),
  "a line that is edited": (text) => {
    const editor = new LineEditor(() => undefined);
    editor.press({ kind: "paste", text });
    for (const name of ["wordLeft", "wordRight", "left", "backspace", "killWordLeft", "enter"] as const) {
      editor.press({ kind: "key", name });
    }
  },
  "a line that is drawn": (text) => {
    const screen = new PromptScreen({ columns: 40, rows: 10 });
    return screen.show({ above: [text], label: "a> ", text, cursor: 0 });
  },
  "keys": (text) => new KeyDecoder().feed(new TextEncoder().encode(text)),
  "a command": (text) => [readCommand(`/${text}`), nearSpelling(text, WORDS)],
  "a completion": (text) => completionOf(text, ["alice", "bob"]),
};

async function* inParts(text: string): AsyncIterable<string> {
  for (let at = 0; at < text.length; at += 64) yield text.slice(at, at + 64);
}

function recordOf(text: string) {
  return {
    category: ["chatter", "chat"],
    level: "info",
    message: [text],
    rawMessage: text,
    timestamp: 0,
    properties: { text, error: new Error(text) },
  } as const;
}

/** A text of about `length` characters. */
function hostile(length: number, piece: string, [start, end]: readonly [string, string]): string {
  return start + piece.repeat(Math.ceil(length / piece.length)) + end;
}

/** What formats a message, before, after and beside words, and alone. */
const MARKS: readonly string[] = [
  ..."*_~`@>",
  ...[
    "*a ",
    "a* ",
    "_a ",
    "a_ ",
    "*a_ ",
    "*(_",
    "~~a ",
    "**a* ",
    "`a",
    "``a`",
    "@a ",
    "@a.",
    "http://a ",
    "*http://a* ",
    "> ",
    "\n> ",
    "\n```",
    "\n\n",
  ],
];
const FORMATTED = ["a message's text", "a reply"];

/** Each reader gets each piece in one of the frames, and in both with `deno task test:more`. */
function framesOf(reader: number, piece: number): readonly (readonly [string, string])[] {
  return IS_LONG_RUN ? FRAMES : [FRAMES[(reader + piece) % FRAMES.length]!];
}

for (const [i, [what, read]] of Object.entries(READERS).entries()) {
  Deno.test(`${what} takes time in proportion to its length`, async () => {
    const problems: string[] = [];
    for (const [j, piece] of [...PIECES, ...FORMATTED.includes(what) ? MARKS : []].entries()) {
      for (const frame of framesOf(i, j)) {
        const problem = await superlinear((n) => {
          const text = hostile(n, piece, frame);
          return () => read(text);
        }, TEXT_LENGTH_MAX);
        if (problem !== undefined) problems.push(`${JSON.stringify(hostile(3, piece, frame))}: ${problem}`);
      }
    }
    assertEquals(problems, []);
  });
}

/** What a peer or a file makes grow: `n` changes, and what each costs. */
const CHANGES: Readonly<Record<string, (n: number) => () => unknown>> = {
  "names that join, change and leave": (n) => () => {
    const roster = new Roster();
    for (let i = 0; i < n; i++) roster.add(`a${i}`);
    for (let i = 0; i < n; i++) roster.rename(`a${i}`, `b${i}`);
    for (let i = 0; i < n; i++) roster.remove(`b${i}`);
  },
  "broadcasts to a client": (n) => {
    const driver = new FakeDriver();
    driver.enter();
    return () => {
      for (let i = 0; i < n; i++) driver.run(driver.session.received(0, driver.socket, `c2/JOIN a${i}`));
      driver.events.length = 0;
    };
  },
  // From 8 KB on: what each costs beside is more in short texts.
  "links in a message without marks": (n) => () => messageText("http://a ".repeat(64 * n)),
  "mentions in a message": (n) => () => messageText("@a b ".repeat(64 * n), () => false),
  "marks inside marks of a message": (n) => {
    const texts = [["*a ", "b* "], ["~~a ", " b~~"], ["*a _a ", "b_ b* "], ["*a _a ", "b* b_ "]]
      .map(([open = "", close = ""]) => open.repeat(64 * n) + close.repeat(64 * n));
    return () => texts.map((text) => messageText(text));
  },
  "runs of backticks in a message, each of another length": (n) => {
    const runs = Array.from({ length: Math.sqrt(2 * n) }, (_, i) => "`".repeat(i + 1));
    const texts = [
      runs.join("a"),
      runs.toReversed().join("a"),
      runs.join("\n"),
      runs.toReversed().join("\n"),
    ];
    return () => texts.map((text) => messageText(text));
  },
  "bans of names that are alike": (n) => () => {
    const bans = new Bans([]);
    for (let i = 0; i < n; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      const ban = { id: String(i), name: "a", address, message: "", createdAtMs: 0, endsAtMs: undefined };
      if (bans.sameTarget(ban).length === 0) bans.add(ban);
    }
  },
  "a line in small parts": (n) => () => {
    const splitter = new LineSplitter();
    for (let i = 0; i < n; i++) splitter.push("a");
    return splitter.take();
  },
};

for (const [what, work] of Object.entries(CHANGES)) {
  Deno.test(`${what}: each costs the same, however many there are`, async () => {
    assertEquals(await superlinear(work, 1 << 14), undefined);
  });
}
