/**
 * The graph of a server's people as a path and as words, by itself.
 *
 * @module
 */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import fc from "fast-check";
import { DAY_MS, graphLabel, graphPath, mostIn, type People } from "../../../listing/web/people_graph.ts";
import { hueOf, initialOf } from "../../../listing/web/wording.ts";

const INTERVAL_MS = 300_000;
const NOW_MS = 6_000_000 * INTERVAL_MS + 1234;

/** Samples whose last is the current one. */
function people(users: readonly (number | null)[]): People {
  const firstAt = (6_000_000 - users.length + 1) * INTERVAL_MS;
  return { id: 1, peak: { users: 9, at: 1 }, intervalMs: INTERVAL_MS, firstAt, users };
}

Deno.test("each part has the most of its samples, and null where there is none", () => {
  const day = Array.from({ length: 288 }, (_, i) => i % 12);
  assertEquals(mostIn(24, people(day), NOW_MS), new Array(24).fill(11));
  assertEquals(mostIn(4, people([7, 3]), NOW_MS), [null, null, null, 7]);
  assertEquals(mostIn(2, people([...new Array(144).fill(5), ...new Array(144).fill(null)]), NOW_MS), [
    5,
    null,
  ]);
  // A listing's answer that is older, or from a clock that is ahead.
  assertEquals(mostIn(2, people([4]), NOW_MS + DAY_MS), [null, null]);
  assertEquals(mostIn(2, people([4]), NOW_MS - 60_000_000), [null, null]);
});

Deno.test("the path has steps, gaps, and stays the same until the next sample", () => {
  const day = [...new Array(96).fill(10), ...new Array(96).fill(null), ...new Array(96).fill(5)];
  const path = "M-4 32V2H32V32ZM64 32V13H100V32Z";
  assertEquals(graphPath(people(day), NOW_MS, 3), path);
  assertEquals(graphPath(people(day), NOW_MS + 200_000, 3), path);
  assertEquals(graphPath(people([]), NOW_MS), "");
  assertEquals(graphPath(people(new Array(288).fill(0)), NOW_MS), "M-4 32V24H100V32Z");
});

Deno.test("whatever the samples, the path is one, and short", () => {
  const users = fc.array(fc.option(fc.integer({ min: 0, max: 1_000_000 })), { maxLength: 288 });
  fc.assert(fc.property(users, (users) => {
    const path = graphPath(people(users), NOW_MS);
    assertMatch(path, /^(?:M-?[0-9.]+ 32(?:V[0-9.]+H[0-9.]+)+V32Z)*$/);
    assertLess(path.length, 48 * 20);
  }));
});

Deno.test("the words say how long, the least and the most", () => {
  assertEquals(graphLabel(people([])), "No samples yet");
  assertEquals(graphLabel(people([null, 1])), "The last hour: 1 person");
  assertEquals(graphLabel(people(new Array(288).fill(0))), "The last 24 hours: 0 people");
  assertEquals(
    graphLabel(people([4, null, 1200, ...new Array(12).fill(7)])),
    "The last 2 hours: 4 to 1,200 people",
  );
});

Deno.test("an icon has the first letter of a name, whole, and the same colour for the same id", () => {
  assertEquals(["pub", "ärger", "👩‍🚀 space", "שיחות", "", "7up"].map(initialOf), [
    "P",
    "Ä",
    "👩‍🚀",
    "ש",
    "",
    "7",
  ]);
  assertEquals([0, 11, 12, Number.MAX_SAFE_INTEGER].map(hueOf), ["hue-0", "hue-11", "hue-0", "hue-7"]);
});
