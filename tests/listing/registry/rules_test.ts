/**
 * Which of two servers has an id, as a table: what the incumbent has shown, and what the request shows. Pure.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseAddress, type ServerAddress } from "../../../src/address.ts";
import { hashKey } from "../../../listing/registry/keys.ts";
import {
  decideRegistration,
  decideUpdate,
  departed,
  type Findings,
  ID_KEPT_MS,
  isListed,
  isOver,
  KEY_LOST_MS,
  type Registration,
  type RegistrationContext,
} from "../../../listing/registry/rules.ts";
import type { ServerRecord } from "../../../listing/store/store.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";

const NOW_MS = 1_700_000_000_000;
const PROOF = hashKey("the incumbent's proof");
const KEY = hashKey("the incumbent's key");
const RECORD: ServerRecord = {
  ...ABROAD_RECORD,
  id: 7,
  address: "a.example:5000",
  keyHash: KEY,
  keyUsedAtMs: NOW_MS - 1,
};
const CONTEXT: RegistrationContext = {
  nowMs: NOW_MS,
  unusedMs: 1,
  othersFromOrigin: 0,
  othersFromSite: 0,
  serversPerOriginMax: 32,
  listed: 1,
  serversMax: 100,
};

const INCUMBENTS = {
  "none": undefined,
  "unproven": RECORD,
  "unproven, key unused for 5 min": RECORD,
  "proven": { ...RECORD, proofHash: PROOF },
  "proven, key unused for 10 min": { ...RECORD, proofHash: PROOF },
  "kept": { ...RECORD, proofHash: PROOF, keptUntilMs: NOW_MS },
  "kept for its time": { ...RECORD, proofHash: PROOF, keptUntilMs: NOW_MS },
} satisfies Record<string, ServerRecord | undefined>;
const UNUSED_MS: Partial<Record<keyof typeof INCUMBENTS, number>> = {
  "unproven": KEY_LOST_MS - 1,
  "unproven, key unused for 5 min": KEY_LOST_MS,
  "proven": ID_KEPT_MS - 1,
  "proven, key unused for 10 min": ID_KEPT_MS,
  "kept": ID_KEPT_MS - 1,
  "kept for its time": ID_KEPT_MS,
};
type Incumbent = keyof typeof INCUMBENTS;

function at(address: string): ServerAddress {
  const read = parseAddress(address, "127.0.0.1");
  if ("problem" in read) throw new Error(read.problem);
  return read;
}

const ITS_PLACE: Registration = {
  id: 7,
  announcement: {},
  address: at("a.example:5000"),
  origin: RECORD.origin,
  keyHash: undefined,
  proofHash: undefined,
};
const OTHER_PROOF = hashKey("another proof");
const ELSEWHERE = { ...ITS_PLACE, address: at("b.example:5000") };
/** Each asks for id 7, and its address answers; `shows` says whether by the proof of the request. */
const ASKERS = {
  "its key": [{ ...ELSEWHERE, keyHash: KEY }, false],
  "its proof": [{ ...ELSEWHERE, proofHash: PROOF }, true],
  "nothing, from its place": [ITS_PLACE, false],
  "nothing, elsewhere": [ELSEWHERE, false],
  "another proof, from its place": [{ ...ITS_PLACE, proofHash: OTHER_PROOF }, true],
  "another proof, at its address from elsewhere": [
    { ...ITS_PLACE, proofHash: OTHER_PROOF, origin: "198.51.100.8" },
    true,
  ],
  "another proof, elsewhere": [{ ...ELSEWHERE, proofHash: OTHER_PROOF }, true],
  "another proof, not shown": [{ ...ELSEWHERE, proofHash: OTHER_PROOF }, false],
} satisfies Record<string, [Registration, shows: boolean]>;
type Asker = keyof typeof ASKERS;

/** How a request ends, after as many pings as the rules ask for. */
function outcome(incumbent: Incumbent, asked: Registration, shows: boolean, isAlive: boolean) {
  const context = { ...CONTEXT, unusedMs: UNUSED_MS[incumbent] ?? 0 };
  let found: Findings = { dead: undefined, alive: undefined, answer: undefined };
  for (let round = 0; round < 4; round++) {
    const step = decideRegistration(INCUMBENTS[incumbent], asked, found, context);
    if ("refusal" in step) return step.refusal;
    if (step.next === "write") return step.record.proofHash === undefined ? "unproven" : "proven";
    if (step.next === "ping") {
      found = { ...found, answer: { answered: true, roundTripMs: 1, isProven: shows } };
    } else found = { ...found, [isAlive ? "alive" : "dead"]: step.incumbent };
  }
  return "no end";
}

Deno.test("an id goes to who has its key or proof, from an unproven server to a proven one, and never back", () => {
  const free: Partial<Record<Asker, string>> = {
    "its key": "unproven",
    "its proof": "proven",
    "nothing, from its place": "unproven",
    "nothing, elsewhere": "unproven",
    "another proof, from its place": "proven",
    "another proof, at its address from elsewhere": "proven",
    "another proof, elsewhere": "proven",
    "another proof, not shown": "unproven",
  };
  const kept = {
    ...free,
    "nothing, from its place": "ID_KEPT",
    "nothing, elsewhere": "ID_KEPT",
    "another proof, at its address from elsewhere": "ID_KEPT",
    "another proof, elsewhere": "ID_KEPT",
    "another proof, not shown": "ID_KEPT",
  };
  const taken = {
    "nothing, from its place": "ID_TAKEN",
    "nothing, elsewhere": "ID_TAKEN",
    "another proof, not shown": "ID_TAKEN",
  };
  const table: [Incumbent, isAlive: boolean, Partial<Record<Asker, string>>][] = [
    ["none", false, free],
    ["unproven", false, free],
    ["unproven", true, { ...free, ...taken }],
    ["unproven, key unused for 5 min", true, { ...free, ...taken, "nothing, from its place": "unproven" }],
    ["proven", true, kept],
    ["proven", false, kept],
    ["proven, key unused for 10 min", true, { ...kept, "nothing, from its place": "unproven" }],
    ["kept", false, kept],
    ["kept for its time", false, free],
  ];
  for (const [incumbent, isAlive, expected] of table) {
    const ends = Object.entries(ASKERS).map(([asker, [asked, shows]]) => [
      asker,
      outcome(incumbent, asked, shows, isAlive),
    ]);
    assertEquals(Object.fromEntries(ends), expected, `${incumbent}, ${isAlive ? "alive" : "dead"}`);
  }
});

Deno.test("the uptime goes on for the same server, by its key, its proof or its place, and for no other", () => {
  const cases: [Incumbent, Asker, checks: number][] = [
    ["unproven", "its key", 2],
    ["unproven", "another proof, elsewhere", 1],
    ["proven", "its proof", 2],
    ["proven", "another proof, from its place", 2],
    ["kept", "its proof", 1],
  ];
  for (const [incumbent, asker, checks] of cases) {
    const [asked, isProven] = ASKERS[asker];
    const answer = { answered: true, roundTripMs: 1, isProven } as const;
    const found = { dead: undefined, alive: undefined, answer };
    const step = decideRegistration(INCUMBENTS[incumbent], asked, found, CONTEXT);
    assertEquals(
      "next" in step && step.next === "write" && step.record.checks,
      checks,
      `${incumbent}, ${asker}`,
    );
  }
});

Deno.test("a new address has to be proved again, or the server counts as unproven", () => {
  const present = INCUMBENTS["proven"];
  const update = { announcement: {}, address: at("b.example"), origin: RECORD.origin, proofHash: PROOF };
  for (const [isProven, proofHash] of [[true, PROOF], [false, undefined]] as const) {
    const answer = { answered: true, roundTripMs: 1, isProven } as const;
    const step = decideUpdate(present, update, { answer }, CONTEXT);
    assertEquals("next" in step && step.next === "write" && step.record.proofHash, proofHash);
  }
  const same = { ...update, address: undefined, proofHash: undefined };
  const step = decideUpdate(present, same, { answer: undefined }, CONTEXT);
  assertEquals("next" in step && step.next === "write" && step.record.proofHash, PROOF);
});

Deno.test("the id of a proven server is kept for ten minutes where there is room, that of another is free at once", () => {
  const proven = INCUMBENTS["proven"];
  assertEquals(departed(RECORD, NOW_MS, true), undefined);
  assertEquals(departed(proven, NOW_MS, false), undefined);
  const kept = departed(proven, NOW_MS, true)!;
  assertEquals([isListed(proven), isListed(kept), isListed(undefined)], [true, false, false]);
  assertEquals([isOver(kept, ID_KEPT_MS - 1), isOver(kept, ID_KEPT_MS)], [false, true]);
  assertEquals(isOver(proven, ID_KEPT_MS), false);
});
