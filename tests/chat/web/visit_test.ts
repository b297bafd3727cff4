/**
 * What a browser keeps of its visits: which one a tab continues, and that no unsent text is lost or grows without end.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { SavedSession } from "../../../src/client/session/session_events.ts";
import {
  bounded,
  continueVisit,
  isWorthKeeping,
  KEPT_LENGTH_MAX,
  parseVisit,
  RETURN_MS,
  takenOver,
  type Visit,
} from "../../../chat/web/visit/visit.ts";

const NOW = 10_000_000;

function visit(tab: string, more: Partial<Visit> & { readonly drafts?: readonly string[] } = {}): Visit {
  const { drafts = [], ...rest } = more;
  const session: SavedSession = {
    username: `of ${tab}`,
    token: `token of ${tab}`,
    position: 7,
    newest: "",
    own: [],
    drafts: drafts.map((text, n) => ({ nonce: `${tab}-${n}`, text, timestamp: 1, fate: "waiting" })),
  };
  return { tab, savedAtMs: NOW - 1000, isInside: true, text: "", seen: "", session, ...rest };
}

function continued(tab: string, visits: readonly Visit[], ...live: string[]) {
  return continueVisit(visits, { tab, live: new Set(live), nowMs: NOW });
}

Deno.test("a tab continues its own visit, else the newest of the tabs that are gone, and none of an open tab", () => {
  const visits = [visit("a"), visit("b", { savedAtMs: NOW - 500 }), visit("c", { savedAtMs: NOW })];
  assertEquals(continued("a", visits)?.session.token, "token of a");
  assertEquals(continued("new", visits)?.session.token, "token of c");
  assertEquals(continued("new", visits, "c")?.session.token, "token of b");
  assertEquals(continued("new", visits, "a", "b", "c"), undefined);
  assertEquals(continued("new", []), undefined);
});

Deno.test("a closed tab that is opened again goes back inside for ten minutes, its own tab at any time", () => {
  const old = visit("a", { savedAtMs: NOW - RETURN_MS });
  assertEquals(continued("new", [old])?.isInside, false);
  assertEquals(continued("new", [{ ...old, savedAtMs: old.savedAtMs + 1 }])?.isInside, true);
  // Kept by a clock that was ahead.
  assertEquals(continued("new", [{ ...old, savedAtMs: NOW + RETURN_MS }])?.isInside, false);
  assertEquals(continued("a", [old])?.isInside, true);
  assertEquals(continued("a", [visit("a", { isInside: false })])?.isInside, false);
});

Deno.test("unsent texts of tabs that are gone join the visit, to be sent again or dropped", () => {
  const visits = [
    visit("a", { text: "mine", drafts: ["one"] }),
    visit("b", { text: "of b", drafts: ["two"] }),
    visit("c", { text: "of c", drafts: ["three"] }),
  ];
  const { text, session } = continued("a", visits, "c")!;
  assertEquals(text, "mine");
  assertEquals(session.drafts.map(({ text, fate }) => [text, fate]), [
    ["one", "waiting"],
    ["two", "offered"],
    ["of b", "offered"],
  ]);
  const empty = continued("a", [visit("a"), visits[1]!])!;
  assertEquals([empty.text, empty.session.drafts.map(({ text }) => text)], ["of b", ["two"]]);
});

Deno.test("a takeover takes the session, and each tab keeps its texts", () => {
  const other = visit("a", { text: "x", drafts: ["one"] });
  const { tab, isInside, text, session } = takenOver(other, undefined, "b", NOW);
  assertEquals([tab, isInside, text, session.token, session.drafts], ["b", true, "", "token of a", []]);
  const own = takenOver(other, visit("b", { text: "mine", drafts: ["two"] }), "b", NOW);
  assertEquals([own.text, own.session.token], ["mine", "token of a"]);
  assertEquals(own.session.drafts.map(({ text, fate }) => [text, fate]), [["two", "offered"]]);
});

Deno.test("texts are kept up to the limit, the field first, and not past it", () => {
  const half = "x".repeat(KEPT_LENGTH_MAX / 2);
  const fits = visit("a", { text: half, drafts: [half] });
  assertEquals(bounded(fits), fits);
  assertEquals(bounded(visit("a", { text: half, drafts: [`${half}x`] })).session.drafts, []);
  assertEquals(bounded(visit("a", { text: `${half}${half}x` })).text.length, KEPT_LENGTH_MAX);
});

Deno.test("a visit without unsent texts is kept while its user is inside", () => {
  assert(isWorthKeeping(visit("a")));
  assert(isWorthKeeping(visit("a", { isInside: false, text: "x" })));
  assert(isWorthKeeping(visit("a", { isInside: false, drafts: ["x"] })));
  assert(!isWorthKeeping(visit("a", { isInside: false })));
});

Deno.test("a visit is read as it was written, and what is none is not", () => {
  const whole = visit("a", { text: "x", drafts: ["y"] });
  assertEquals(parseVisit(JSON.stringify(whole)), whole);
  for (const json of [null, undefined, "", "{}", "null", '{"tab":"a"}', '{"tab":1,"session":{}}']) {
    assertEquals(parseVisit(json), undefined);
  }
});
