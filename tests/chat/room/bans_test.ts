/**
 * Bans in memory as values: which names and addresses they keep out, and until when, PROTOCOL.md §6.3.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Ban, Bans, matches, readAddressBlock, saidOf } from "../../../chat/room/bans.ts";
import { parseUsername, type Username } from "../../../src/protocol/names.ts";

const END = 5000;

function ban(id: string, parts: Partial<Ban>): Ban {
  return {
    id,
    name: undefined,
    address: undefined,
    message: `message of ${id}`,
    createdAtMs: 1,
    endsAtMs: undefined,
    ...parts,
  };
}

function named(name: string): Username {
  return parseUsername(name) as Username;
}

Deno.test("a ban of a name keeps out every spelling of it and what looks like it, and no other name", () => {
  const bans = new Bans([ban("a", { name: "Straße" })]);
  // The last has Cyrillic letters wherever possible.
  for (const name of ["Straße", "STRASSE", "strasse", "ｓｔｒａｓｓｅ", "Ѕtrаѕѕе"]) {
    assertEquals(bans.bar(named(name), "192.0.2.1", 0), { message: "message of a", isAddress: false }, name);
  }
  assertEquals(bans.bar(named("Strasse2"), "192.0.2.1", 0), undefined);
});

Deno.test("a ban of an address keeps out everyone of it: all of a /64 where it is IPv6", () => {
  const bans = new Bans([
    ban("four", { address: readAddressBlock("192.0.2.1")! }),
    ban("six", { address: readAddressBlock("2001:db8:1:2:3::4")! }),
  ]);
  const barred = (address: string) => bans.bar(named("alice"), address, 0)?.message.split(" ").at(-1);
  assertEquals(
    [
      "192.0.2.1",
      "::ffff:192.0.2.1",
      "192.0.2.2",
      "2001:db8:1:2::",
      "2001:DB8:1:2:ffff:ffff:ffff:ffff",
      "2001:db8:1:3::4",
      "2001:db8:1:1:ffff::",
      "unknown",
    ].map(barred),
    ["four", "four", undefined, "six", "six", undefined, undefined, undefined],
  );
  assertEquals(bans.bar(named("alice"), "192.0.2.1", 0)?.isAddress, true);
});

Deno.test("a ban of a name and an address keeps out either, and where both fit it is the address that counts", () => {
  const bans = new Bans([ban("both", { name: "eve", address: "192.0.2.1" })]);
  assertEquals(bans.bar(named("eve"), "192.0.2.9", 0)?.isAddress, false);
  assertEquals(bans.bar(named("bob"), "192.0.2.1", 0)?.isAddress, true);
  assertEquals(bans.bar(named("eve"), "192.0.2.1", 0)?.isAddress, true);
  assertEquals(bans.bar(named("bob"), "192.0.2.9", 0), undefined);
});

Deno.test("a ban ends at its end, judged when it is read", () => {
  const timed = ban("timed", { name: "eve", endsAtMs: END });
  const bans = new Bans([timed, ban("endless", { name: "bob" })]);
  assertEquals(
    bans.bar(named("eve"), "x", END - 1)?.message,
    "message of timed (until 1970-01-01 00:01 UTC)",
  );
  assertEquals(bans.bar(named("eve"), "x", END), undefined);
  assertEquals(bans.bar(named("bob"), "x", Number.MAX_SAFE_INTEGER)?.message, "message of endless");
  assertEquals([bans.inForce(END - 1).length, bans.inForce(END).map(({ id }) => id)], [2, ["endless"]]);
  assertEquals([bans.past(END - 1), bans.past(END)], [[], [timed]]);
});

Deno.test("an end is said in minutes of UTC, rounded up, unless it is after all dates", () => {
  const said = (endsAtMs: number) => saidOf(ban("timed", { endsAtMs }));
  assertEquals(said(60_000), "message of timed (until 1970-01-01 00:01 UTC)");
  assertEquals(said(60_001), "message of timed (until 1970-01-01 00:02 UTC)");
  assertEquals(said(8.64e15 - 60_000), "message of timed (until +275760-09-12 23:59 UTC)");
  assertEquals(said(Number.MAX_SAFE_INTEGER), "message of timed");
});

Deno.test("a ban that has ended does not hide a longer one of the same name or address", () => {
  const bans = new Bans([
    ban("short", { name: "eve", address: "192.0.2.1", endsAtMs: END }),
    ban("long", { name: "EVE", address: "192.0.2.2" }),
    ban("of the address", { address: "192.0.2.1" }),
  ]);
  assertEquals(bans.bar(named("eve"), "x", END)?.message, "message of long");
  assertEquals(bans.bar(named("eve"), "192.0.2.1", END)?.message, "message of of the address");
});

Deno.test("a ban that is removed is gone from everywhere, and the others stay", () => {
  const first = ban("first", { name: "eve", address: "192.0.2.1" });
  const second = ban("second", { name: "Eve" });
  const bans = new Bans([first, second]);
  assertEquals(bans.ofName(named("EVE")), [first, second]);
  bans.remove(first);
  assertEquals([bans.size, bans.get("first"), bans.ofName(named("eve"))], [1, undefined, [second]]);
  assertEquals(bans.bar(named("bob"), "192.0.2.1", 0), undefined);
  assertEquals(bans.bar(named("eve"), "x", 0)?.message, "message of second");
  bans.remove(second);
  assertEquals([bans.size, bans.bar(named("eve"), "x", 0)], [0, undefined]);
});

Deno.test("bans have the same target where name and address both are the same", () => {
  const name = ban("name", { name: "eve" });
  const address = ban("address", { address: "192.0.2.1" });
  const both = ban("both", { name: "eve", address: "192.0.2.1" });
  const bans = new Bans([name, address, both]);
  assertEquals(bans.sameTarget(ban("x", { name: "EVE" })), [name]);
  assertEquals(bans.sameTarget(ban("x", { address: "192.0.2.1" })), [address]);
  assertEquals(bans.sameTarget(ban("x", { name: "Eve", address: "192.0.2.1" })), [both]);
  assertEquals(bans.sameTarget(ban("x", { name: "eve", address: "192.0.2.2" })), []);
});

Deno.test("bans of names that look alike stand side by side, and each keeps out the name", () => {
  const latin = ban("latin", { name: "paypal" });
  const cyrillic = ban("cyrillic", { name: "раураl" });
  const bans = new Bans([latin, cyrillic]);
  assertEquals(bans.sameTarget(ban("x", { name: "PayPal" })), [latin]);
  assertEquals(bans.ofName(named("paypal")), [latin, cyrillic]);
  bans.remove(latin);
  assertEquals(bans.bar(named("paypal"), "x", 0)?.message, "message of cyrillic");
  assertEquals(matches(cyrillic, named("paypal"), "x"), true);
});

Deno.test("a ban means those of its name, and all of its address whether they have a name or not", () => {
  const both = ban("both", { name: "eve", address: "192.0.2.1" });
  assertEquals(matches(both, named("EVE"), "192.0.2.9"), true);
  assertEquals(matches(both, undefined, "::ffff:192.0.2.1"), true);
  assertEquals(matches(both, named("bob"), "192.0.2.9"), false);
  assertEquals(matches(ban("name", { name: "eve" }), undefined, "192.0.2.1"), false);
});

Deno.test("an address to ban is an IP address, or a network as it is shown", () => {
  const read: [string, string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0::/64", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["192.0.2.1/64", undefined],
    ["2001:db8::/48", undefined],
    ["127.1", undefined],
    ["localhost", undefined],
    ["", undefined],
  ];
  for (const [text, block] of read) assertEquals(readAddressBlock(text), block, text);
});
