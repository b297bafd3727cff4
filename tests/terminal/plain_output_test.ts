/**
 * The output of the plain client, with readers that take nothing for a while.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { PlainOutput, UNREAD_MAX } from "../../terminal/plain_output.ts";

/** An output whose stdout takes a text only when `take` is called. */
function atSlowReader() {
  const written: string[] = [];
  const problems: string[] = [];
  let behind = 0;
  let taken = Promise.withResolvers<boolean>();
  const output = new PlainOutput({
    print: (text) => {
      written.push(text);
      return (taken = Promise.withResolvers<boolean>()).promise;
    },
    complain: (text) => {
      problems.push(text);
      return Promise.resolve();
    },
  }, { onGone: () => {}, onCut: () => behind++ });
  return { output, written, problems, take: () => taken.resolve(true), behind: () => behind };
}

Deno.test("what comes while a write is under way is written by the next one, in order", async () => {
  const { output, written, take } = atSlowReader();
  for (const line of ["one", "two", "three"]) output.print(line);
  assertEquals(written, ["one\n"]);
  take();
  // The loop of writes goes on in microtasks.
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(written, ["one\n", "two\nthree\n"]);
  take();
  assertEquals(await output.finish(), true);
});

Deno.test("as much waits for a reader as the limit says, and a line past it ends the client with a problem", async () => {
  const { output, written, problems, take, behind } = atSlowReader();
  output.print("x".repeat(UNREAD_MAX - 1));
  // An empty line, one unit, comes at the limit, and the next one past it.
  output.print("");
  assertEquals([behind(), problems.length], [0, 0]);
  output.print("past it");
  assertEquals(behind(), 1);
  output.print("later");
  assertEquals(behind(), 1);
  assertEquals(problems, ["chatter: stdout is read too slowly: more than 4194304 characters wait\n"]);
  assertEquals(await output.finish(), false);
  // A reader that goes on reads no more, and lines are missed still.
  take();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([await output.finish(), written.length], [false, 1]);
});

Deno.test("output that is given up waits for no reader", async () => {
  const { output } = atSlowReader();
  output.print("one");
  const finished = output.finish();
  output.giveUp();
  assertEquals(await finished, false);
});

Deno.test("output that cannot be written ends the client with a line that says why", async () => {
  const problems: string[] = [];
  let cuts = 0;
  const output = new PlainOutput({
    print: () => Promise.reject(new Error("No space left on device (os error 28)")),
    complain: (text) => Promise.resolve(void problems.push(text)),
  }, { onGone: () => {}, onCut: () => cuts++ });
  output.print("one");
  assertEquals(await output.finish(), false);
  assertEquals([cuts, ...problems], [
    1,
    "chatter: stdout cannot be written: No space left on device (os error 28)\n",
  ]);
});
