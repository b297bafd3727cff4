/**
 * Peers that break WebSocket itself, over plain TCP: how each transport reacts, and that other clients notice nothing,
 * SECURITY.md.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import type { RunningChat } from "../../../chat/mod.ts";
import { ChatClient } from "../../support/chat_client.ts";
import { testOverEachTransport as test } from "../../support/chat_server.ts";
import { frame, OPCODE, RawPeer } from "../../support/raw_peer.ts";

const ENCODER = new TextEncoder();

interface Attack {
  readonly what: string;
  /** Sent after the handshake and a CONNECT. */
  readonly bytes: Uint8Array;
  /** The close code of `ws`. `serve` cuts TCP without one. */
  readonly code: number;
}

const BROKEN_FRAMES: Attack[] = [
  { what: "text that is not UTF-8", bytes: frame(new Uint8Array([0x63, 0xff, 0xfe])), code: 1007 },
  { what: "a surrogate in UTF-8", bytes: frame(new Uint8Array([0xed, 0xa0, 0x80])), code: 1007 },
  { what: "an opcode that does not exist", bytes: frame(ENCODER.encode("x"), { opcode: 3 }), code: 1002 },
  {
    what: "a control opcode that does not exist",
    bytes: frame(ENCODER.encode("x"), { opcode: 11 }),
    code: 1002,
  },
  { what: "reserved bits", bytes: frame(ENCODER.encode("c2/PING"), { rsv: 4 }), code: 1002 },
  { what: "a ping of 126 bytes", bytes: frame(new Uint8Array(126), { opcode: OPCODE.ping }), code: 1002 },
  {
    what: "a ping in fragments",
    bytes: frame(ENCODER.encode("x"), { opcode: OPCODE.ping, fin: false }),
    code: 1002,
  },
];
/** Frames that `ws` refuses and Deno's own WebSocket takes or waits for. */
const BROKEN_FOR_WS: Attack[] = [
  { what: "a frame without a mask", bytes: frame(ENCODER.encode("c2/PING"), { masked: false }), code: 1002 },
  {
    what: "a continuation of nothing",
    bytes: frame(ENCODER.encode("c2/PING"), { opcode: OPCODE.continuation }),
    code: 1002,
  },
  {
    what: "a frame of 100 MiB to come",
    bytes: frame(ENCODER.encode("c2/MSG"), { declaredLength: 104_857_600 }),
    code: 1009,
  },
];

/** Two clients that talk, and that must notice nothing but that `mallory` joined and left. */
class Bystanders implements AsyncDisposable {
  #said = 0;

  private constructor(readonly alice: ChatClient, readonly bob: ChatClient) {}

  static async join(url: string): Promise<Bystanders> {
    return new Bystanders(await ChatClient.connect(url, "alice"), await ChatClient.connect(url, "bob"));
  }

  /** One sends a message, both receive it. */
  async talk(): Promise<void> {
    const text = `still here ${this.#said++}`;
    const uuid = await this.alice.say(text);
    const heard = await this.bob.drain();
    assertEquals(heard.at(-1), `c2/MSG alice; 1; ${uuid}; ${text}`);
  }

  /** Waits until both received the departures of these, in any order, and nothing else. */
  async seeGo(names: readonly string[]): Promise<void> {
    const expected = names.map((name) => `c2/DISCONNECT lost_connection; ${name}`).toSorted();
    for (const bystander of [this.alice, this.bob]) {
      const received: string[] = [];
      while (received.length < expected.length) received.push(await bystander.next());
      assertEquals(received.toSorted(), expected);
      assertEquals(await bystander.drain(), []);
    }
    await this.talk();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.alice[Symbol.asyncDispose]();
    await this.bob[Symbol.asyncDispose]();
  }
}

async function connectMallory(chat: RunningChat, name = "mallory"): Promise<RawPeer> {
  const mallory = await RawPeer.open(chat.url);
  await mallory.sendText(`c2/CONNECT ${name}`);
  assertEquals(await mallory.readText(), "c2/ACKNOWLEDGE Test Server");
  return mallory;
}

/** The code of the close frame that ends the connection; undefined if there is none. */
async function readToEnd(peer: RawPeer): Promise<number | undefined> {
  let code: number | undefined;
  for (let next = await peer.readFrame(); next !== undefined; next = await peer.readFrame()) {
    if (next.opcode === OPCODE.close) code = new DataView(next.payload.slice().buffer).getUint16(0);
  }
  return code;
}

test("a peer that sends a broken frame is cut off, and disturbs nobody", async (start, transport) => {
  await using chat = await start({ limits: { floodRate: 0 } });
  await using bystanders = await Bystanders.join(chat.url);
  const attacks = transport === "ws" ? [...BROKEN_FRAMES, ...BROKEN_FOR_WS] : BROKEN_FRAMES;
  await Promise.all(attacks.map(async ({ what, bytes, code }, i) => {
    await using mallory = await connectMallory(chat, `mallory${i}`);
    await mallory.write(bytes);
    assertEquals(await readToEnd(mallory), transport === "ws" ? code : undefined, what);
  }));
  await bystanders.seeGo(attacks.map((_, i) => `mallory${i}`));
});

test("a message in fragments with pings in between is read as one", async (start) => {
  await using chat = await start({ id: 7 });
  await using peer = await RawPeer.open(chat.url);
  await peer.write(frame(ENCODER.encode("c2/PI"), { fin: false }));
  await peer.write(frame(ENCODER.encode("are you there"), { opcode: OPCODE.ping }));
  await peer.write(frame(ENCODER.encode("NG 5"), { opcode: OPCODE.continuation }));
  const pong = await peer.readFrame();
  assertEquals([pong?.opcode, new TextDecoder().decode(pong?.payload)], [OPCODE.pong, "are you there"]);
  assertEquals(await peer.readText(), "c2/PING 5; 7");
});

test("handshakes that are none are refused by HTTP, and open nothing", async (start) => {
  await using chat = await start();
  await using bystanders = await Bystanders.join(chat.url);
  const asking = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const heads = [
    `GET / HTTP/1.1\r\n${asking}Sec-WebSocket-Version: 13\r\n\r\n`,
    `POST / HTTP/1.1\r\n${asking}Content-Length: 0\r\n\r\n`,
    "\0\x01\x02\r\n\r\n",
    `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ];
  for (const head of heads) {
    await using peer = await RawPeer.connect(chat.url);
    await peer.write(ENCODER.encode(head)).catch(() => {/** Cut before everything was written. */});
    const answer = await peer.readHead().catch(() => "HTTP/1.1 4xx, or cut off");
    assertMatch(answer, /^HTTP\/1\.1 4/, head.slice(0, 200));
    await bystanders.talk();
  }
});
