/**
 * One read at a time, by a handle that reads as that of Deno before 2.9 does: each start begins a read beside those
 * that are under way, and a read that brought something is followed by the next unless it was stopped.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { isBefore, joinReads, type ReadingHandle } from "../../chat/sockets/single_read.ts";

class OldHandle implements ReadingHandle {
  reading = false;
  /** Reads that are under way, as the system would answer them: the one begun first comes first. */
  underWay = 0;
  mostUnderWay = 0;
  readonly brought: string[] = [];
  #isReading = false;

  onread(bytes: unknown): void {
    this.brought.push(String(bytes));
  }

  readStart(): number {
    this.#isReading = true;
    this.#read();
    return 0;
  }

  readStop(): number {
    this.#isReading = false;
    return 0;
  }

  /** The read that was begun first brings this. */
  bring(text: string, size = text.length): void {
    assert(this.underWay > 0, "nothing is read");
    this.underWay--;
    // As the platform calls it: what took its place counts.
    (this as ReadingHandle).onread(text, size);
    if (size >= 0 && this.#isReading) this.#read();
  }

  #read(): void {
    this.underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
  }
}

function joined(): OldHandle {
  const handle = new OldHandle();
  joinReads(handle);
  return handle;
}

Deno.test("a pause and a resume while a read is under way begin no second one", () => {
  const old = new OldHandle();
  for (const act of ["readStart", "readStop", "readStart"] as const) old[act]();
  assertEquals(old.underWay, 2, "the handle is not as old ones are");

  const handle = joined();
  for (const act of ["readStart", "readStop", "readStart", "readStop", "readStart"] as const) handle[act]();
  assertEquals(handle.underWay, 1);
  handle.bring("one");
  handle.bring("two");
  assertEquals([handle.brought, handle.mostUnderWay], [["one", "two"], 1]);
});

Deno.test("what a read brings after a pause is kept, none follows it, and a resume reads on", () => {
  const handle = joined();
  handle.readStart();
  handle.readStop();
  handle.bring("late");
  assertEquals([handle.brought, handle.underWay], [["late"], 0]);
  handle.readStart();
  handle.bring("next");
  assertEquals([handle.brought, handle.underWay], [["late", "next"], 1]);
});

Deno.test("a pause and a resume by who is given the bytes begin no second read", () => {
  const handle = new OldHandle();
  const take = handle.onread;
  handle.onread = function (bytes) {
    take.call(handle, bytes);
    handle.readStop();
    if (handle.brought.length === 1) handle.readStart();
  };
  joinReads(handle);
  handle.readStart();
  handle.bring("one");
  assertEquals(handle.underWay, 1);
  handle.bring("two");
  assertEquals([handle.underWay, handle.mostUnderWay], [0, 1]);
});

Deno.test("a handle that is read already, and the end of what comes", () => {
  const handle = new OldHandle();
  handle.reading = true;
  handle.readStart();
  joinReads(handle);
  handle.readStart();
  assertEquals(handle.underWay, 1);
  handle.bring("end", -4095);
  assertEquals(handle.underWay, 0);
});

Deno.test("versions before 2.9 are told from later ones", () => {
  for (const version of ["1.46.3", "2.4.2", "2.8.11"]) assert(isBefore([2, 9], version), version);
  for (const version of ["2.9.0", "2.9.6", "2.10.1", "3.0.0"]) {
    assertFalse(isBefore([2, 9], version), version);
  }
});
