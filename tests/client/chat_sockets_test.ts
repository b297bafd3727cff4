/**
 * The package `@chatter/client` over sockets that the test plays: what is lost with a session and what is not, what
 * stays missing, and the limits of its queues.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { Chat, ChatError, type ChatErrorCode } from "../../src/client/mod.ts";
import { EventQueue, WAITING_EVENTS_MAX, WAITING_UNITS_MAX } from "../../src/client/event_queue.ts";
import { REQUESTS_MAX } from "../../src/client/pending_answers.ts";
import { DRAFTS_MAX } from "../../src/client/session/chat_session.ts";
import { OWN_MAX, OwnMessages } from "../../src/client/session/own_messages.ts";
import { faultNameOf, FAULTS } from "../../src/protocol/faults.ts";
import { TOKEN, uuidOf } from "../support/fake_driver.ts";

/** A class of WebSockets whose server is the test; `next` is the socket that is opened next. */
function playedSockets() {
  const opened: Played[] = [];
  let arrived: (() => void) | undefined;
  class Played {
    readyState = 0;
    protocol = "c2.live";
    readonly sent: string[] = [];
    onopen?: () => void;
    onmessage?: (event: { data: string }) => void;
    onclose?: (event: { code: number; reason: string }) => void;
    onerror?: (event: object) => void;

    constructor() {
      opened.push(this);
      arrived?.();
    }

    send(text: string): void {
      this.sent.push(text);
    }

    close(): void {}

    open(protocol = "c2.live"): void {
      this.protocol = protocol;
      this.readyState = 1;
      this.onopen?.();
    }

    receive(...frames: string[]): void {
      for (const data of frames) this.onmessage?.({ data });
    }

    lose(code = 1006, reason = ""): void {
      this.readyState = 3;
      this.onclose?.({ code, reason });
    }

    /** Lets the client in: CONNECT, then the history, the roster, the limits and the roster once more. */
    letIn(name: string, history = "[]"): void {
      this.open();
      this.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`, `c2/JOIN ${name}`);
      const roster = `c2/ACKNOWLEDGE [{"username":"${name}","since":1,"away":false}]`;
      this.receive(`c2/ACKNOWLEDGE ${history}`, roster, "c2/ACKNOWLEDGE {}");
      this.receive(...this.sent.includes("c2/PING") ? ["c2/PING 1"] : [], roster);
    }

    nonces(): string[] {
      return this.sent.filter((frame) => frame.startsWith("c2/SEND ")).map((frame) =>
        frame.split(/[ ;]/)[1]!
      );
    }
  }
  const next = async () => {
    const count = opened.length;
    while (opened.length === count) await new Promise<void>((resolve) => arrived = resolve);
    return opened.at(-1)!;
  };
  return { WebSocket: Played, next };
}

async function joined(history = "[]") {
  const { WebSocket, next } = playedSockets();
  const first = next();
  const connecting = Chat.connect("ws://played", { name: "alice", WebSocket });
  const socket = await first;
  socket.letIn("alice", history);
  return { chat: await connecting, socket, next };
}

function entry(n: number, username: string, message: string, timestamp = n): string {
  return JSON.stringify({ uuid: uuidOf(n), username, timestamp, message, edited: false });
}

async function rejectsWith(code: ChatErrorCode, asked: Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(() => asked, ChatError)).code, code);
}

/** Ends a chat whose sockets answer nothing. */
async function end(chat: Chat, socket: { lose(code: number, reason: string): void }): Promise<void> {
  socket.lose(1008, "goodbye");
  await chat.ended;
}

Deno.test("a message that is said while a chat joins is an event, and those before are recent", async () => {
  const { WebSocket, next } = playedSockets();
  const first = next();
  const connecting = Chat.connect("ws://played", { name: "alice", WebSocket });
  const socket = await first;
  socket.open();
  socket.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`, "c2/JOIN alice");
  socket.receive(
    `c2/MSG bob; 1; ${uuidOf(2)}; in the page too`,
    `c2/MSG bob; 1; ${uuidOf(3)}; after the page`,
  );
  socket.receive(`c2/ACKNOWLEDGE [${entry(1, "bob", "before")},${entry(2, "bob", "in the page too")}]`);
  socket.receive(
    "c2/ACKNOWLEDGE [alice,bob]",
    "c2/ACKNOWLEDGE {}",
    "c2/PING 1",
    "c2/ACKNOWLEDGE [alice,bob]",
  );
  const chat = await connecting;
  assertEquals(chat.recent.map(({ text }) => text), ["before"]);
  const messages = chat.messages();
  assertEquals((await messages.next()).value.text, "in the page too");
  assertEquals((await messages.next()).value.text, "after the page");
  await end(chat, socket);
});

Deno.test("a message whose answer was lost is sent again after a resume, and its broadcast is its own", async () => {
  const { chat, socket, next } = await joined();
  const messages = chat.messages();
  const said = chat.say("hello");
  const [nonce] = socket.nonces();
  const again = next();
  socket.lose();
  const second = await again;
  second.open();
  assertEquals(second.sent, [`c2/RESUME ${TOKEN}; 11`]);
  // The first try was stored: its broadcast is replayed before the answer to the second.
  second.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 11`, `c2/MSG alice; 1; ${uuidOf(5)}; hello`);
  const { value } = await messages.next();
  assertEquals([value.uuid, value.isOwn], [uuidOf(5), true]);
  second.receive("c2/ACKNOWLEDGE {}");
  assertEquals(second.nonces(), [nonce]);
  second.receive(`c2/ACKNOWLEDGE ${nonce}; ${uuidOf(5)}`);
  assertEquals(await said, uuidOf(5));
  await end(chat, second);
});

Deno.test("after a lost session a message that may be stored is unsure, and one that waited is sent", async () => {
  const { chat, socket, next } = await joined(`[${entry(1, "bob", "before")}]`);
  const events = chat.events("message", "reconnected", "gap");
  const unsure = chat.say("may be stored");
  const stored = chat.say("was stored");
  const at = socket.sent.find((frame) => frame.includes("was stored"))!.split("; ")[1];
  const again = next();
  socket.lose();
  const waited = chat.say("waited");
  const second = await again;
  second.open();
  second.receive(`c2/ERROR ${FAULTS.RESUME_UNKNOWN}`);
  second.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 20`, "c2/JOIN alice");
  const page = [
    entry(1, "bob", "before"),
    entry(2, "bob", "missed"),
    entry(3, "alice", "was stored", Number(at)),
  ];
  second.receive(`c2/ACKNOWLEDGE [${page}]`, "c2/ACKNOWLEDGE []", "c2/ACKNOWLEDGE {}");
  await rejectsWith("UNSURE", unsure);
  assertEquals(await stored, uuidOf(3));
  second.receive(`c2/ACKNOWLEDGE ${second.nonces()[0]}; ${uuidOf(4)}`);
  assertEquals(await waited, uuidOf(4));
  const { value: reconnected } = await events.next();
  assertEquals(reconnected, { type: "reconnected", isResumed: false });
  for (const [text, isOwn] of [["missed", false], ["was stored", true]]) {
    const { value } = await events.next();
    assertEquals([value.message.text, value.message.isOwn, value.isMissed], [text, isOwn, true]);
  }
  await end(chat, second);
});

Deno.test("a hole that the history does not fill is an event before the messages that follow it", async () => {
  const { chat, socket, next } = await joined(`[${entry(1, "bob", "before")}]`);
  const events = chat.events("message", "gap");
  const again = next();
  socket.lose();
  const second = await again;
  second.open();
  second.receive(`c2/ERROR ${FAULTS.RESUME_TOO_MUCH}`);
  second.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 20`, "c2/JOIN alice");
  for (let page = 0; page < 5; page++) {
    second.receive(`c2/ACKNOWLEDGE [${entry(9000 - page, "bob", `missed ${page}`)}]`);
    if (page === 0) second.receive("c2/ACKNOWLEDGE []", "c2/ACKNOWLEDGE {}", "c2/PING 1");
  }
  assertEquals((await events.next()).value, { type: "gap" });
  const { value } = await events.next();
  assertEquals([value.message.text, value.isMissed], ["missed 4", true]);
  await end(chat, second);
});

Deno.test("a server without the extended mode gives a message its id with the broadcast", async () => {
  const { WebSocket, next } = playedSockets();
  const first = next();
  const connecting = Chat.connect("ws://played", { name: "alice", WebSocket });
  const socket = await first;
  socket.open("");
  socket.receive(
    "c2/ACKNOWLEDGE Old",
    "c2/ERROR no history here",
    "c2/ACKNOWLEDGE [alice]",
    "c2/ERROR what?",
  );
  socket.receive("c2/PING 1", "c2/ACKNOWLEDGE [alice]");
  const chat = await connecting;
  assertEquals([chat.serverName, chat.users, chat.recent, chat.info], ["Old", ["alice"], [], {}]);
  const said = chat.say("hello");
  const [, timestamp] = /^c2\/MSG ([0-9]+); hello$/.exec(socket.sent.at(-1)!)!;
  socket.receive("c2/ACKNOWLEDGE", `c2/MSG alice; ${timestamp}; ${uuidOf(7)}; hello`);
  assertEquals(await said, uuidOf(7));
  await rejectsWith("REFUSED", ask(socket, chat.search("hello"), "c2/ERROR no such thing"));
  await end(chat, socket);
});

function ask(
  socket: { receive(frame: string): void },
  asked: Promise<unknown>,
  answer: string,
): Promise<unknown> {
  socket.receive(answer);
  return asked;
}

Deno.test("at most 500 messages and 500 other requests wait for a server that does not answer", async () => {
  const { chat, socket } = await joined();
  const said = Array.from({ length: DRAFTS_MAX }, () => chat.say("wait"));
  await rejectsWith("QUEUE_FULL", chat.say("one too many"));
  const asked = Array.from({ length: REQUESTS_MAX }, () => chat.history());
  await rejectsWith("QUEUE_FULL", chat.history());
  const settled = Promise.allSettled([...said, ...asked]);
  await end(chat, socket);
  const codes = (await settled).map((one) => one.status === "rejected" ? one.reason.code : one.status);
  const sent = socket.nonces().length;
  assertEquals(codes.filter((code) => code === "UNSURE").length, sent);
  assertEquals(codes.filter((code) => code === "NOT_SENT").length, DRAFTS_MAX - sent);
  assertEquals(codes.filter((code) => code === "UNANSWERED").length, REQUESTS_MAX);
});

Deno.test("a session keeps the ids of its newest 10,000 messages, and no more", () => {
  const own = new OwnMessages(() => 0.5, () => 0);
  const isOwn = (n: number) =>
    own.message({ uuid: uuidOf(n), username: "alice", message: "", timestamp: 1, edited: false }).isOwn;
  for (let n = 0; n < OWN_MAX; n++) own.add(uuidOf(n));
  assertEquals([isOwn(0), isOwn(OWN_MAX - 1)], [true, true]);
  own.add(uuidOf(OWN_MAX));
  assertEquals([isOwn(0), isOwn(1), isOwn(OWN_MAX)], [false, true, true]);
});

Deno.test("a name that another user has when the client returns ends the chat with that", async () => {
  const { chat, socket, next } = await joined();
  const loop = chat.messages();
  const sent = chat.say("was sent");
  const again = next();
  socket.lose();
  const [waits, asked] = [chat.say("was not"), chat.edit(uuidOf(1), "text")];
  const second = await again;
  second.open();
  second.receive(`c2/ERROR ${FAULTS.RESUME_UNKNOWN}`, `c2/ERROR ${FAULTS.NAME_TAKEN}`);
  await rejectsWith("UNSURE", sent);
  await rejectsWith("NOT_SENT", waits);
  await rejectsWith("UNANSWERED", asked);
  await rejectsWith("NAME_TAKEN", loop.next());
  await rejectsWith("NAME_TAKEN", chat.say("late"));
  assertEquals((await chat.ended).error.code, "NAME_TAKEN");
});

Deno.test("a socket that fails without a close, as on Node 22, is lost: a chat notices at once, and tries again", async () => {
  const { WebSocket, next } = playedSockets();
  const refused = next();
  const connecting = Chat.connect("ws://played", { name: "alice", WebSocket });
  (await refused).onerror?.({ message: "refused" });
  const error = await assertRejects(() => connecting, ChatError);
  assertEquals([error.code, error.message], ["UNREACHABLE", "Cannot reach ws://played/: refused"]);

  const { chat, socket, next: nextOf } = await joined();
  const again = nextOf();
  socket.onerror?.({});
  const second = await again;
  second.open();
  assertEquals(second.sent, [`c2/RESUME ${TOKEN}; 11`]);
  // A close that arrives after all is of a socket that is lost already.
  socket.lose(1008, "kicked");
  second.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 11`);
  assertEquals(chat.isConnected, true);
  await end(chat, second);
});

for (
  const [limit, events, units] of [
    ["events", WAITING_EVENTS_MAX, 1],
    ["UTF-16 units", 4, WAITING_UNITS_MAX / 4],
  ] as const
) {
  Deno.test(`a loop keeps as many ${limit} as its limit says, and throws with one more`, async () => {
    let closed = 0;
    const full = new EventQueue<number>(undefined, () => closed++);
    for (let n = 0; n < events; n++) full.push(n, units);
    assertEquals([closed, (await full.next()).value], [0, 0]);
    full.push(events, units);
    assertEquals((await full.next()).value, 1);
    full.push(0, units);
    full.push(0, units);
    full.push(0, 1);
    await rejectsWith("TOO_SLOW", full.next());
    assertEquals([closed, (await full.next()).done], [1, true]);
  });
}

Deno.test("events that no program takes are kept up to the limit, and what is dropped is a gap", async () => {
  const { chat, socket } = await joined();
  for (let n = 0; n <= WAITING_EVENTS_MAX + 1; n++) socket.receive(`c2/MSG bob; 1; ${uuidOf(n + 1)}; ${n}`);
  const events = chat.events("gap", "message");
  assertEquals((await events.next()).value.type, "gap");
  assertEquals((await events.next()).value.message.text, String(WAITING_EVENTS_MAX + 1));
  await end(chat, socket);
});

Deno.test("a loop that is left takes no more events, and two loops receive each event", async () => {
  const { chat, socket } = await joined();
  const [one, two] = [chat.messages(), chat.messages()];
  socket.receive(`c2/MSG bob; 1; ${uuidOf(1)}; first`, `c2/MSG bob; 1; ${uuidOf(2)}; second`);
  for await (const { text } of one) {
    assertEquals(text, "first");
    break;
  }
  assertEquals((await one.next()).done, true);
  assertEquals((await two.next()).value.text, "first");
  assertEquals((await two.next()).value.text, "second");
  await end(chat, socket);
});

Deno.test("each fault is found by its text, with the limits of any server", () => {
  for (const [name, text] of Object.entries(FAULTS)) {
    assertEquals(faultNameOf(text.replace(/\{[a-z]+\}/, "17")), name);
  }
  assertEquals(faultNameOf("Message is too long: 1 to 9 letters are fine"), "MESSAGE_TOO_LONG");
  assertEquals([faultNameOf(""), faultNameOf("No")], [undefined, undefined]);
});
