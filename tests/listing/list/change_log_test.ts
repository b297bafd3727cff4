/**
 * The numbered changes of the list: one per server, bounded, and readable from any position.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChangeLog, CHANGES_MAX } from "../../../listing/list/change_log.ts";
import { runs } from "../../support/property_runs.ts";

/** Events as [name, id or json, position]. */
function eventsAfter(changes: ChangeLog, seq: number, charsMin = Infinity): string[] | undefined {
  return changes.eventsAfter(seq, charsMin)?.text.split("\n\n").slice(0, -1)
    .map((block) => block.replace(/^id: (.*)\nevent: (.*)\ndata: (.*)$/, "$1 $2 $3"));
}

Deno.test("a server that changed ten times is one event, as it is now", () => {
  const changes = new ChangeLog("e");
  changes.note(1, undefined, "a0");
  for (let i = 1; i <= 10; i++) changes.note(1, `a${i - 1}`, `a${i}`);
  assertEquals(changes.numberNoted(), 1);
  assertEquals(eventsAfter(changes, 0), ["e-1 added a10"]);
  changes.note(1, "a10", "a11");
  changes.numberNoted();
  changes.note(1, "a11", "a12");
  changes.numberNoted();
  assertEquals([eventsAfter(changes, 1), eventsAfter(changes, 2)], [["e-3 changed a12"], [
    "e-3 changed a12",
  ]]);
  assertEquals(eventsAfter(changes, 0), ["e-3 added a12"], "it is added for a client that has not seen it");
  assertEquals(eventsAfter(changes, 3), undefined);
});

Deno.test("what came and went, or is as before, is an event for clients that fetched the list in between", () => {
  const changes = new ChangeLog("e");
  changes.note(1, undefined, "a");
  changes.note(1, "a", undefined);
  changes.note(2, "b", "c");
  changes.note(2, "c", "b");
  assertEquals([changes.isUnnumbered, changes.numberNoted(), changes.isUnnumbered], [true, 2, false]);
  assertEquals(eventsAfter(changes, 0), ['e-1 removed {"id":1}', "e-2 changed b"]);
});

Deno.test("a removed server is named by its id", () => {
  const changes = new ChangeLog("e");
  changes.note(7, "a", undefined);
  changes.numberNoted();
  assertEquals(eventsAfter(changes, 0), ['e-1 removed {"id":7}']);
});

Deno.test("a position is read only of the same list, and not of its future", () => {
  const changes = new ChangeLog("e");
  changes.note(7, undefined, "a");
  changes.numberNoted();
  assertEquals(["e-0", "e-1"].map((position) => changes.readPosition(position)), [0, 1]);
  for (
    const other of [
      "e-2",
      "f-1",
      "e-01",
      "e-",
      "e",
      "",
      "-1",
      "e-1 ",
      "e--1",
      "E-1",
      "e-1e1",
      "e-99999999999999999",
    ]
  ) {
    assertEquals(changes.readPosition(other), undefined, other);
  }
});

Deno.test(`${CHANGES_MAX} changes are kept; with one more, a client before the first must start again`, () => {
  const changes = new ChangeLog("e");
  for (let id = 0; id < CHANGES_MAX; id++) changes.note(id, undefined, `"${id}"`);
  changes.numberNoted();
  assertEquals(eventsAfter(changes, 0)?.length, CHANGES_MAX);
  changes.note(CHANGES_MAX, undefined, "last");
  changes.numberNoted();
  assertEquals(changes.size, CHANGES_MAX);
  assertEquals(eventsAfter(changes, 0), [`e-${CHANGES_MAX + 1} reset {}`]);
  assertEquals(eventsAfter(changes, 1)?.length, CHANGES_MAX);
});

Deno.test(`${CHANGES_MAX} servers that changed since the last number are sent; with one more, all clients start again`, () => {
  const changes = new ChangeLog("e");
  for (let id = 0; id < CHANGES_MAX; id++) changes.note(id, undefined, `"${id}"`);
  changes.note(0, '"0"', '"again"');
  assertEquals(changes.numberNoted(), CHANGES_MAX, "the same server is no more of them");
  assertEquals(eventsAfter(changes, 0)?.length, CHANGES_MAX);
  for (let id = 0; id <= CHANGES_MAX; id++) changes.note(id, `"${id}"`, `"new ${id}"`);
  changes.note(0, '"new 0"', undefined);
  assertEquals([changes.seq, changes.isUnnumbered], [CHANGES_MAX, true]);
  assertEquals([changes.numberNoted(), changes.size, changes.isUnnumbered], [CHANGES_MAX, 0, false]);
  assertEquals(eventsAfter(changes, CHANGES_MAX), [`e-${CHANGES_MAX + 1} reset {}`]);
  assert(
    changes.knowsAllSince(CHANGES_MAX + 1) && !changes.knowsAllSince(CHANGES_MAX) &&
      !changes.knowsAllSince(CHANGES_MAX + 2),
  );
});

Deno.test("events come in pieces, and each piece goes on where the one before ended", () => {
  const changes = new ChangeLog("e");
  for (let id = 1; id <= 5; id++) changes.note(id, undefined, `"${id}"`);
  changes.numberNoted();
  const size = changes.eventsAfter(0, 1)!.text.length;
  assertEquals(changes.eventsAfter(0, size), { text: changes.eventsAfter(0, 1)!.text, next: 1 });
  assertEquals(eventsAfter(changes, 0, size + 1), ['e-1 added "1"', 'e-2 added "2"']);
  assertEquals(eventsAfter(changes, 2, size), ['e-3 added "3"']);
  assertEquals(changes.eventsAfter(4, size)!.next, 5);
});

Deno.test("a client that follows, however slowly, ends with the current list", () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("set" as const),
      id: fc.nat(6),
      now: fc.option(fc.nat(3), { nil: undefined }),
    }),
    fc.constant({ do: "number" as const }),
    fc.record({ do: fc.constant("read" as const), who: fc.nat(2), chars: fc.constantFrom(1, 1000) }),
    fc.constant({ do: "forget" as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const changes = new ChangeLog("e");
      const list = new Map<number, string>();
      const readers = [0, 1, 2].map(() => ({ seq: 0, list: new Map<number, string>() }));
      const read = (reader: typeof readers[number], chars: number) => {
        const events = changes.eventsAfter(reader.seq, chars);
        if (events === undefined) return false;
        for (const block of events.text.split("\n\n").slice(0, -1)) {
          const [, name, json = ""] = /event: (.*)\ndata: (.*)$/.exec(block)!;
          if (name === "reset") {
            // The fetched list contains changes without a number; they are sent once more, which does no harm.
            reader.list = new Map(list);
          } else if (name === "removed") reader.list.delete(JSON.parse(json).id);
          else reader.list.set(JSON.parse(json).id, json);
        }
        reader.seq = events.next;
        return true;
      };
      for (const one of steps) {
        if (one.do === "set") {
          const before = list.get(one.id);
          const now = one.now === undefined ? undefined : JSON.stringify({ id: one.id, users: one.now });
          if (now === undefined) list.delete(one.id);
          else list.set(one.id, now);
          if (before !== now) changes.note(one.id, before, now);
        } else if (one.do === "number") changes.numberNoted();
        else if (one.do === "forget") changes.forget();
        else read(readers[one.who]!, one.chars);
      }
      changes.numberNoted();
      for (const reader of readers) {
        while (read(reader, 1));
        assertEquals([...reader.list].sort(), [...list].sort());
      }
    }),
    runs(60),
  );
});
