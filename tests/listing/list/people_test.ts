/**
 * People over time as values: what is kept of samples, compared with a model that keeps all.
 *
 * @module
 */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { PeopleOverTime } from "../../../listing/list/people.ts";
import { SAMPLE_MS, SAMPLES_KEPT } from "../../../listing/store/sample_store.ts";
import { runs } from "../../support/property_runs.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";

const FIRST = 6_000_000;

function sample(slot: number, users: Readonly<Record<number, number>>) {
  return {
    slot,
    ids: Float64Array.from(Object.keys(users), Number),
    users: Uint32Array.from(Object.values(users)),
  };
}

function usersOf(people: PeopleOverTime, id: number, slot: number, sinceMs = 1): readonly (number | null)[] {
  return people.of({ ...ABROAD_RECORD, id, sinceMs }, slot * SAMPLE_MS + 17).users;
}

Deno.test("of all samples those of the last 24 hours are shown, whatever the numbers, the gaps and the jumps of the clock", () => {
  const ids = [1, 2, Number.MAX_SAFE_INTEGER];
  const users = fc.constantFrom(0, 1, 253, 254, 255, 65_533, 65_534, 65_535, 1_000_000);
  const step = fc.record({
    by: fc.constantFrom(1, 1, 1, 2, 50, SAMPLES_KEPT - 1, SAMPLES_KEPT, SAMPLES_KEPT + 1, -1, -40),
    users: fc.array(fc.tuple(fc.constantFrom(...ids), users), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const people = new PeopleOverTime();
      const model = new Map<number, Readonly<Record<number, number>>>();
      let slot = FIRST;
      for (const { by, users } of steps) {
        slot += by;
        // Nothing is sampled twice.
        if (people.has(slot)) continue;
        const taken = Object.fromEntries(users);
        people.add(sample(slot, taken));
        // One that overwrites a slot's place is the only one of that place.
        for (const other of model.keys()) if ((other - slot) % SAMPLES_KEPT === 0) model.delete(other);
        model.set(slot, taken);
      }
      for (const id of ids) {
        const all = Array.from(
          { length: SAMPLES_KEPT },
          (_, i) => model.get(slot - SAMPLES_KEPT + 1 + i)?.[id] ?? null,
        );
        const first = all.findIndex((count) => count !== null);
        assertEquals(usersOf(people, id, slot), first < 0 ? [] : all.slice(first));
      }
    }),
    runs(100),
  );
});

Deno.test("samples come in parts, and name their time", () => {
  const people = new PeopleOverTime();
  people.add(sample(FIRST, { 1: 3 }));
  people.add(sample(FIRST, { 2: 5 }));
  people.add(sample(FIRST + 2, { 1: 4 }));
  assertEquals(usersOf(people, 1, FIRST + 3), [3, null, 4, null]);
  assertEquals(usersOf(people, 2, FIRST), [5]);
  const { firstAt, intervalMs } = people.of({ ...ABROAD_RECORD, id: 1 }, (FIRST + 3) * SAMPLE_MS);
  assertEquals([firstAt, intervalMs], [FIRST * SAMPLE_MS, 300_000]);
  assertEquals(people.of({ ...ABROAD_RECORD, id: 9 }, FIRST * SAMPLE_MS).users, []);
});

Deno.test("a server does not show the people of the one that had its id before", () => {
  const people = new PeopleOverTime();
  for (const i of [0, 1, 2]) people.add(sample(FIRST + i, { 1: 10 + i }));
  assertEquals(usersOf(people, 1, FIRST + 2, (FIRST + 1) * SAMPLE_MS), [11, 12]);
  assertEquals(usersOf(people, 1, FIRST + 2, (FIRST + 1) * SAMPLE_MS + 1), [12]);
  assertEquals(usersOf(people, 1, FIRST + 2, (FIRST + 3) * SAMPLE_MS), []);
});

Deno.test("a server that comes after one has left shows nothing of it", () => {
  const people = new PeopleOverTime();
  people.add(sample(FIRST, { 1: 300, 2: 5 }));
  people.keepOnly((id) => id !== 1);
  people.add(sample(FIRST + 1, { 3: 7 }));
  people.add(sample(FIRST + 2, { 2: 6, 3: 70_000, 4: 8 }));
  assertEquals(usersOf(people, 1, FIRST + 2), []);
  assertEquals(usersOf(people, 2, FIRST + 2), [5, null, 6]);
  assertEquals(usersOf(people, 3, FIRST + 2), [7, 70_000]);
  assertEquals(usersOf(people, 4, FIRST + 2), [8]);
});

Deno.test("memory is for the servers that are known, and an answer for 24 hours at most", () => {
  const people = new PeopleOverTime();
  for (let i = 0; i <= 2 * SAMPLES_KEPT; i++) people.add(sample(FIRST + i, { [i]: 1_000_000, 7: 1_000_000 }));
  assertEquals(people.size, 2 * SAMPLES_KEPT + 1);
  people.keepOnly((id) => id === 7);
  assertEquals(people.size, 1);
  const shown = people.of({ ...ABROAD_RECORD, id: 7 }, (FIRST + 2 * SAMPLES_KEPT) * SAMPLE_MS);
  assertEquals(shown.users.length, SAMPLES_KEPT);
  assertLessOrEqual(JSON.stringify(shown).length, 2500);
});
