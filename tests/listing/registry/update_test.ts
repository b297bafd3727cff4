/**
 * PUT and DELETE /servers/:id: which requests are allowed, the order of the checks, and that no change is lost.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openKv } from "../../../src/kv/kv.ts";
import { REFRESH_MS } from "../../../listing/list/server_index.ts";
import { BAD_BODIES } from "./bad_bodies.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "../listing_under_test.ts";

Deno.test("an update changes what it names and nothing else", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, {
    serverName: "old",
    address: "old.example",
    connectedUsers: 1,
    maxUsers: 2,
  });
  const steps: [body: Record<string, unknown>, property: string, value: unknown][] = [
    [{ serverName: "new" }, "displayName", "new"],
    [{ connectedUsers: 30 }, "connectedUsers", 30],
    [{ maxUsers: 0 }, "maxUsers", 0],
    [{ address: "new.example:6000" }, "address", "new.example:6000"],
    [{}, "displayName", "new"],
  ];
  for (const [body, property, value] of steps) {
    const before = await listing.shown(7);
    const { status, text } = await listing.ask("PUT", "/servers/7", { key, body });
    assertEquals([status, text], [200, ""]);
    const peak = property === "connectedUsers" && { peakUsers: value };
    assertEquals(await listing.shown(7), { ...before, [property]: value, ...peak });
  }
});

Deno.test("a server says what it is, and takes it back with an empty value", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { description: " a pub ", tags: ["games"], language: "pt-br" });
  const { description, tags, language, ...rest } = await listing.shown(7) ?? {};
  assertEquals({ description, tags, language }, { description: "a pub", tags: ["games"], language: "pt-BR" });
  const update = async (body: unknown) =>
    assertEquals((await listing.ask("PUT", "/servers/7", { key, body })).text, "");
  await update({ tags: [], language: "de" });
  assertEquals(await listing.shown(7), { ...rest, description, language: "de" });
  await update({ connectedUsers: 0 });
  assertEquals(await listing.shown(7), { ...rest, description, language: "de" });
  await update({ description: "", language: "" });
  assertEquals(await listing.shown(7), rest);
});

Deno.test("an update with one bad property changes nothing", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  const before = await listing.shown(7);
  for (const [what, asked, says] of BAD_BODIES) {
    const { status, text } = await listing.ask("PUT", "/servers/7", { ...asked, key });
    assertEquals(status, 400, what);
    assertStringIncludes(text, says, what);
  }
  for (const bad of [{ maxUsers: -1 }, { address: "host/" }, { more: 1 }]) {
    const { status } = await listing.ask("PUT", "/servers/7", { key, body: { serverName: "new", ...bad } });
    assertEquals(status, 400);
  }
  assertEquals((await listing.ask("PUT", "/servers/7", { key })).status, 400, "no body");
  assertEquals(await listing.shown(7), before);
});

Deno.test("an update is judged in order: not listed, then the key, then the body", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  const other = await listing.list(8);
  const bad = "{";
  const good = "{}";
  const cases: [
    path: string,
    authorization: string | undefined,
    raw: string,
    status: number,
    says: string,
  ][] = [
    ["/servers/9", undefined, bad, 400, "No server is listed"],
    ["/servers/9", `C2Listing ${key}`, bad, 400, "No server is listed"],
    ["/servers/09", `C2Listing ${key}`, good, 400, "No server is listed"],
    ["/servers/abc", `C2Listing ${key}`, good, 400, "No server is listed"],
    ["/servers/7", undefined, bad, 401, "C2Listing <key>"],
    ["/servers/7", `C2Listing ${other}`, bad, 401, "C2Listing <key>"],
    ["/servers/7", `C2Listing ${other}`, good, 401, "C2Listing <key>"],
    ["/servers/7", `C2Listing ${key}x`, good, 401, "C2Listing <key>"],
    ["/servers/7", `C2Listing ${key.slice(1)}`, good, 401, "C2Listing <key>"],
    ["/servers/7", "C2Listing", good, 401, "C2Listing <key>"],
    ["/servers/7", key, good, 401, "C2Listing <key>"],
    ["/servers/7", `Bearer ${key}`, good, 401, "C2Listing <key>"],
    ["/servers/7", `Basic ${btoa(`C2Listing:${key}`)}`, good, 401, "C2Listing <key>"],
    ["/servers/7", `C2Listing ${key}`, bad, 400, "not JSON"],
    ["/servers/7", `C2Listing ${key}`, good, 200, ""],
    ["/servers/7", `c2listing ${key}`, good, 200, ""],
  ];
  for (const [path, authorization, raw, status, says] of cases) {
    const headers: Record<string, string> = authorization === undefined
      ? {}
      : { Authorization: authorization };
    const answer = await listing.ask("PUT", path, { headers, raw });
    assertEquals(
      [answer.status, answer.text.includes(says)],
      [status, true],
      `${path} ${authorization} ${raw}`,
    );
    assertEquals(answer.headers.get("www-authenticate"), status === 401 ? "C2Listing" : null);
  }
});

Deno.test("a removal is judged in order: not listed, then the key; then the server is gone", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  assertEquals((await listing.ask("DELETE", "/servers/9", { key })).status, 400);
  assertEquals((await listing.ask("DELETE", "/servers/x", { key })).status, 400);
  assertEquals((await listing.ask("DELETE", "/servers/7")).status, 401);
  assertEquals((await listing.ask("DELETE", "/servers/7", { key: "A".repeat(43) })).status, 401);
  const { status, text } = await listing.ask("DELETE", "/servers/7", { key });
  assertEquals([status, text], [200, ""]);
  assertEquals((await listing.ask("DELETE", "/servers/7", { key })).status, 400);
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body: {} })).status, 400);
  assertEquals(JSON.parse((await listing.ask("GET", "/servers")).text), { servers: [] });
});

Deno.test("a new address is pinged first, and without an answer nothing of the update holds", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { address: "old.example" });
  const before = await listing.shown(7);
  listing.prober.answer = () => SILENT;
  const body = { address: "new.example", connectedUsers: 9 };
  const { status, text } = await listing.ask("PUT", "/servers/7", { key, body });
  assertEquals([status, text.includes("Tried, and nothing came back.")], [400, true]);
  assertEquals(await listing.shown(7), before);
  listing.prober.answer = () => ANSWERED;
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body })).status, 200);
  assertEquals(listing.prober.pinged, ["old.example:5000", "new.example:5000", "new.example:5000"]);
});

Deno.test("an update with the present address sends no ping", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { address: "Old.example" });
  for (const address of ["old.example", "OLD.example:5000", "ws://old.example:5000"]) {
    assertEquals((await listing.ask("PUT", "/servers/7", { key, body: { address } })).status, 200);
  }
  assertEquals(listing.prober.pinged.length, 1);
});

Deno.test("an update whose ping takes long holds up no other, and overwrites none", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { address: "old.example" });
  const { promise: held, resolve: release } = Promise.withResolvers<typeof ANSWERED>();
  const { promise: pinging, resolve: pinged } = Promise.withResolvers<void>();
  listing.prober.answer = () => {
    pinged();
    return held;
  };
  const slow = listing.ask("PUT", "/servers/7", { key, body: { address: "new.example", maxUsers: 1 } });
  await pinging;
  for (const body of [{ connectedUsers: 5 }, { serverName: "meanwhile" }]) {
    assertEquals((await listing.ask("PUT", "/servers/7", { key, body })).status, 200);
  }
  release(ANSWERED);
  assertEquals((await slow).status, 200);
  const { displayName, address, connectedUsers, maxUsers } = await listing.shown(7) ?? {};
  assertEquals([displayName, address, connectedUsers, maxUsers], ["meanwhile", "new.example:5000", 5, 1]);
});

Deno.test("a server that is removed while its new address is pinged stays removed", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  listing.prober.answer = async () => {
    await listing.ask("DELETE", "/servers/7", { key });
    return ANSWERED;
  };
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body: { address: "a.example" } })).status, 400);
  assertEquals(await listing.shown(7), undefined);
});

Deno.test("hundreds of updates at once of two properties are all taken, and the last of each holds", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => {
    const body = i % 2 === 0 ? { connectedUsers: i } : { serverName: `name ${i}` };
    return listing.ask("PUT", "/servers/7", { key, body });
  }));
  assertEquals(answers.filter(({ status }) => status === 200).length, 300);
  const { connectedUsers, displayName } = await listing.shown(7) ?? {};
  assertEquals([connectedUsers, displayName], [298, "name 299"]);
});

Deno.test("updates of two processes at once lose nothing", async () => {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  const kvs = [await openKv(path), await openKv(path)] as const;
  try {
    const [one, two] = [new ListingUnderTest(kvs[0]), new ListingUnderTest(kvs[1])];
    await Promise.all([one.index.refresh(), two.index.refresh()]);
    const key = await one.list(7);
    const statuses = await Promise.all(Array.from({ length: 50 }, async (_, i) => [
      (await one.ask("PUT", "/servers/7", { key, body: { connectedUsers: i } })).status,
      (await two.ask("PUT", "/servers/7", { key, body: { maxUsers: i } })).status,
    ]));
    assertEquals(statuses.flat().filter((status) => status !== 200), []);
    for (const listing of [one, two]) {
      listing.nowMs += REFRESH_MS;
      const { connectedUsers, maxUsers } = await listing.shown(7) ?? {};
      assertEquals([connectedUsers, maxUsers], [49, 49]);
    }
  } finally {
    for (const kv of kvs) kv.close();
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
  }
});

Deno.test("what another process lists, changes and removes is seen within a second", async () => {
  const kv = await openKv(":memory:");
  await using one = new ListingUnderTest(kv);
  const two = new ListingUnderTest(kv, { sharedKv: true });
  const seen = async () => {
    two.nowMs += REFRESH_MS;
    return (await two.shown(7))?.["connectedUsers"];
  };
  assertEquals(await seen(), undefined);
  const key = await one.list(7);
  assertEquals(await seen(), 0);
  await one.ask("PUT", "/servers/7", { key, body: { connectedUsers: 4 } });
  await two.list(8);
  assertEquals(await seen(), 4);
  await one.ask("DELETE", "/servers/7", { key });
  assertEquals(await seen(), undefined);
});

Deno.test("what memory has of a server decides nothing where another process was faster", async () => {
  await using listing = await ListingUnderTest.start();
  await using other = new ListingUnderTest(listing.kv, { sharedKv: true });
  const key = await listing.list(7);
  await listing.ask("GET", "/servers");
  await other.ask("GET", "/servers");
  const put = (at: ListingUnderTest, body: unknown, with_ = key) =>
    at.ask("PUT", "/servers/7", { key: with_, body });
  assertEquals((await put(other, { connectedUsers: 1 })).status, 200);
  assertEquals((await put(listing, { maxUsers: 9 })).status, 200);
  const { value } = await listing.kv.get<{ connectedUsers: number; maxUsers: number }>([
    "listing",
    "servers",
    7,
  ]);
  assertEquals(
    [value?.connectedUsers, value?.maxUsers],
    [1, 9],
    "it changes what is there, not what it knew",
  );
  const renewed = await other.list(7, {}, { key });
  assertEquals(
    (await put(listing, { maxUsers: 8 })).status,
    401,
    "a key that is void elsewhere is void here",
  );
  assertEquals((await put(listing, { maxUsers: 8 }, renewed)).status, 200);
  assertEquals((await other.ask("DELETE", "/servers/7", { key: renewed })).status, 200);
  assertEquals((await put(listing, { maxUsers: 7 }, renewed)).status, 400, "and so is a server that is gone");
});
