/**
 * Which connections without a WebSocket are cut to make room, and which for too many requests.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  HttpConnections,
  type HttpPlace,
  REQUESTS_AHEAD_MAX,
} from "../../../chat/sockets/http_connections.ts";

class FakeConnection {
  isCut = false;

  destroy(): void {
    this.isCut = true;
  }
}

function open(
  connections: HttpConnections<FakeConnection>,
  count: number,
  places: readonly HttpPlace[] = [],
): FakeConnection[] {
  const opened = Array.from({ length: count }, () => new FakeConnection());
  for (const one of opened) connections.opened(one, places);
  return opened;
}

function cut(opened: readonly FakeConnection[]): number[] {
  return opened.flatMap(({ isCut }, i) => isCut ? [i] : []);
}

Deno.test("as many connections are kept as may be, and one more cuts the one that is silent for longest", () => {
  const connections = new HttpConnections<FakeConnection>(() => 3, () => 0);
  const opened = open(connections, 3);
  assertEquals(cut(opened), []);
  // The first has sent a request and was answered since.
  connections.asked(opened[0]!);
  connections.answered(opened[0]!);
  open(connections, 1);
  assertEquals(cut(opened), [1]);
});

Deno.test("one that is answered is cut only where all others are too, and then the one that asked first", () => {
  const connections = new HttpConnections<FakeConnection>(() => 3, () => 0);
  const opened = open(connections, 3);
  for (const one of [opened[1]!, opened[0]!]) connections.asked(one);
  const [newcomer] = open(connections, 1);
  assertEquals(cut(opened), [2]);
  connections.asked(newcomer!);
  const [last] = open(connections, 1);
  assertEquals(cut(opened), [1, 2]);
  assertFalse(last!.isCut || newcomer!.isCut);
});

Deno.test("one that has ended, or became a WebSocket, takes no place", () => {
  const connections = new HttpConnections<FakeConnection>(() => 3, () => 0);
  const opened = open(connections, 3);
  connections.asked(opened[0]!);
  connections.gone(opened[0]!);
  connections.answered(opened[0]!);
  connections.gone(opened[1]!);
  open(connections, 2);
  assertEquals(cut(opened), []);
});

Deno.test("so many requests of a connection are answered at once, and one more cuts it", () => {
  const connections = new HttpConnections<FakeConnection>(() => 3, () => 0);
  const [one] = open(connections, 1);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < REQUESTS_AHEAD_MAX; i++) assert(connections.asked(one!));
    for (let i = 0; i < REQUESTS_AHEAD_MAX; i++) connections.answered(one!);
  }
  for (let i = 0; i < REQUESTS_AHEAD_MAX; i++) connections.asked(one!);
  assertFalse(one!.isCut);
  assertFalse(connections.asked(one!));
  assert(one!.isCut);
});

Deno.test("at the end all are cut, whatever they do", () => {
  const connections = new HttpConnections<FakeConnection>(() => 3, () => 0);
  const opened = open(connections, 3);
  connections.asked(opened[1]!);
  connections.cutAll();
  assertEquals(cut(opened), [0, 1, 2]);
});

Deno.test("one that makes no request in time is cut, whatever else it sends", () => {
  let nowMs = 0;
  const connections = new HttpConnections<FakeConnection>(() => 10, () => nowMs);
  const opened = open(connections, 3);
  connections.asked(opened[1]!);
  nowMs = 100;
  connections.asked(opened[2]!);
  connections.answered(opened[2]!);
  connections.cutIdle(101);
  assertEquals(cut(opened), []);
  connections.cutIdle(100);
  assertEquals(cut(opened), [0]);
});

Deno.test("an address keeps as many connections as it may, and one more cuts its own that is silent for longest", () => {
  const connections = new HttpConnections<FakeConnection>(() => 100, () => 0);
  const here = { key: "here", most: 3 };
  const others = [...open(connections, 2), ...open(connections, 3, [{ key: "there", most: 3 }])];
  const opened = open(connections, 3, [here]);
  assertEquals(cut(opened), []);
  connections.asked(opened[0]!);
  open(connections, 1, [here]);
  assertEquals(cut(opened), [1]);
  connections.gone(opened[2]!);
  connections.gone(opened[2]!);
  open(connections, 1, [here]);
  assertEquals(cut(opened), [1], "one that has ended takes no place");
  const [newest] = open(connections, 1, [here]);
  for (let i = 0; i < 3; i++) open(connections, 1, [here]);
  assert(newest!.isCut);
  assertEquals(cut(opened), [1], "one that is answered goes last");
  assertEquals(cut(others), []);
});

Deno.test("the addresses of one site keep as many connections together as it may", () => {
  const connections = new HttpConnections<FakeConnection>(() => 100, () => 0);
  const site = { key: "site", most: 3 };
  const block = (key: string) => [{ key, most: 2 }, site];
  const [first] = open(connections, 1, block("one"));
  const opened = [...open(connections, 1, block("two")), ...open(connections, 1, block("three"))];
  assertFalse(first!.isCut);
  open(connections, 1, block("four"));
  assert(first!.isCut);
  assertEquals(cut(opened), []);
});

Deno.test("an address that holds more than it may, since the limit became less, still loses one for each", () => {
  const connections = new HttpConnections<FakeConnection>(() => 100, () => 0);
  const opened = open(connections, 3, [{ key: "here", most: 3 }]);
  open(connections, 1, [{ key: "here", most: 1 }]);
  assertEquals(cut(opened), [0]);
});
