/**
 * Records as bytes: what is read is what was written, and what cannot be read is refused in one line.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  bytesOfDecided,
  type ClusterRecord,
  decodeRecord,
  encodeRecord,
  FIRST_HASH,
  hashOf,
  isRecord,
  UnreadableRecord,
} from "../../../chat/cluster/record.ts";
import type { Ban } from "../../../chat/room/bans.ts";
import type { Ruled, Ruling } from "../../../chat/cluster/command.ts";
import type { Decided, Opening } from "../../../chat/cluster/membership.ts";
import type { Decision, Left } from "../../../chat/room/decision.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { runs } from "../../support/property_runs.ts";

const text = fc.string({ unit: "grapheme" });
const whole = fc.nat();
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const message: fc.Arbitrary<StoredMessage> = fc.record({
  uuid: fc.uuid(),
  author: fc.uuid(),
  username: text,
  timestamp: whole.map(String),
  receivedMs: whole,
  text,
  edited: fc.constant(false),
  position: whole,
  nonce: maybe(text),
});
const left: fc.Arbitrary<Left> = fc.record({
  kind: fc.constant("left" as const),
  session: fc.uuid(),
  departure: fc.constantFrom("disconnect", "lost_connection", "kick", "ban"),
  username: text,
  message: maybe(text),
});
const decision: fc.Arbitrary<Decision> = fc.oneof(
  message.map((message): Decision => ({ kind: "stored", entry: { kind: "said", message } })),
  fc.record({ position: whole, message }).map((change): Decision => ({
    kind: "stored",
    entry: { ...change, kind: "changed", message: { ...change.message, edited: true } },
  })),
  fc.record({ username: text, connectedAtMs: whole, position: whole, displaced: maybe(left) })
    .map((joined): Decision => ({ ...joined, kind: "joined" })),
  fc.record({ from: text, to: text }).map((renamed): Decision => ({ ...renamed, kind: "renamed" })),
  left,
  fc.record({ session: fc.uuid(), hold: whole, username: text, windowMs: whole }).map((held): Decision => ({
    ...held,
    kind: "held",
  })),
  fc.record({ session: fc.uuid(), username: text, wasHeld: fc.boolean(), token: text, position: whole })
    .map((resumed): Decision => ({ ...resumed, kind: "resumed" })),
  left.map((left): Decision => ({
    kind: "unresumable",
    fault: { fault: "RESUME_POSITION", text: "no" },
    left,
  })),
  text.map((text): Decision => ({ kind: "refused", fault: { fault: "NAME_TAKEN", text } })),
  fc.constant<Decision>({ kind: "nothing" }),
);
const opening: fc.Arbitrary<Opening> = fc.record({
  id: fc.uuid(),
  isExtended: fc.boolean(),
  remoteAddress: text,
  tokenHash: maybe(text),
});

const ban: fc.Arbitrary<Ban> = fc.record({
  ...{ id: fc.uuid(), name: maybe(text), address: maybe(text), message: text },
  ...{ createdAtMs: whole, endsAtMs: maybe(whole) },
});
const answer: fc.Arbitrary<Ruled> = fc.oneof(
  fc.record({ kind: fc.constant("banned" as const), ban, disconnected: fc.array(text) }),
  fc.record({ kind: fc.constant("lifted" as const), bans: fc.array(ban) }),
  fc.record({ kind: fc.constant("kicked" as const), username: text }),
  fc.constant<Ruled>({ kind: "refused", refusal: "BAN_UNKNOWN" }),
);
const ruling: fc.Arbitrary<Ruling> = fc.record({
  ...{ removed: fc.array(fc.uuid()), added: fc.array(ban), kept: fc.array(fc.tuple(text, text)), answer },
});

/** A new message needs no opening, and is not the last input of its connection. */
const decided: fc.Arbitrary<Decided> = fc.record({
  node: text,
  session: whole,
  input: whole,
  isLast: fc.boolean(),
  opening: maybe(opening),
  ruling: maybe(ruling),
  decision,
}).map((entry) =>
  entry.decision.kind === "stored" && entry.decision.entry.kind === "said"
    ? { ...entry, opening: undefined, isLast: false, ruling: undefined }
    : entry
);

const head = { epoch: whole, previous: text, atMs: whole };
const record: fc.Arbitrary<ClusterRecord> = fc.oneof(
  fc.record({ ...head, by: text }).map((lead): ClusterRecord => ({ ...lead, kind: "lead" })),
  fc.record({ ...head, founded: fc.record({ serverId: whole, secret: text, isEmpty: fc.boolean() }) })
    .map((founded): ClusterRecord => ({ ...founded, kind: "founded" })),
  fc.record({
    ...head,
    position: whole,
    through: fc.array(fc.tuple(text, whole)),
    decided: fc.array(decided),
    lost: fc.array(text),
  }).map((turn): ClusterRecord => ({ ...turn, kind: "turn" })),
);

Deno.test("a record that is read is the one that was written", () => {
  fc.assert(
    fc.property(record, (written) => assertEquals(decodeRecord(encodeRecord(written)), written)),
    runs(200),
  );
});

Deno.test("a decision takes no more bytes in a record than it is counted for", () => {
  const size = (decided: Decided[]) =>
    encodeRecord({
      ...{ kind: "turn", epoch: 1, previous: "", atMs: 0, position: 0, through: [], lost: [] },
      decided,
    }).length;
  const any = fc.oneof(
    decided,
    decided.map((entry): Decided => ({
      ...entry,
      node: "\u0001".repeat(36),
      session: Number.MAX_SAFE_INTEGER,
    })),
  );
  fc.assert(
    fc.property(any, (entry) => assert(size([entry, entry]) - size([entry]) <= bytesOfDecided(entry))),
    runs(200),
  );
});

Deno.test("a record of a newer format, of an unknown kind or of another program is refused", () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  assertThrows(() => decodeRecord(bytes([2, "turn"])), Error, "format 2; this program reads 1 to 1");
  assertThrows(() => decodeRecord(bytes([1, "vote", 1, FIRST_HASH, 0])), Error, "unknown kind vote");
  const others = ["hello", "null", "{}", "7", JSON.stringify([1, "turn", 1, "", 0, 5]), ""];
  for (const other of others) {
    assertThrows(() => decodeRecord(new TextEncoder().encode(other)), UnreadableRecord);
  }
});

Deno.test("each record that is written is one, and what another program writes is none", () => {
  fc.assert(
    fc.property(
      record,
      fc.uint8Array(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (made, past, atMs) => {
        for (const previous of [hashOf(past), FIRST_HASH]) {
          assert(isRecord(encodeRecord({ ...made, previous, atMs })));
        }
      },
    ),
    runs(200),
  );
  assert(isRecord(new TextEncoder().encode('[120,"turn",1,"",0]')));
  const others = [
    "",
    "hello",
    "null",
    "{}",
    "[1]",
    '[1,"turn"]',
    '["1","turn",1,"",0]',
    ' [1,"turn",1,"",0]',
  ];
  for (const other of others) assert(!isRecord(new TextEncoder().encode(other)), other);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert(!isRecord(bytes))), runs(200));
});

Deno.test("a record's hash depends on all records before it", () => {
  const lead = (previous: string) => encodeRecord({ kind: "lead", epoch: 1, previous, atMs: 0, by: "a" });
  const first = hashOf(lead(FIRST_HASH));
  assertEquals(first.length, 22);
  assertEquals(hashOf(lead(first)) === hashOf(lead(FIRST_HASH)), false);
});
