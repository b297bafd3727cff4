/**
 * Calls from one thread to another, here over a plain function in each direction.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type CallMessage, Calls } from "../../../chat/gateway/threads/rpc.ts";

interface Questions {
  double(n: number): number;
  later(): Promise<string>;
  open(): never;
}

interface Nothing {
  readonly [name: string]: never;
}

function connected(ours: Questions): Calls<Questions, Nothing> {
  const asking: Calls<Questions, Nothing> = new Calls<Questions, Nothing>(
    (message: CallMessage) => answering.receive(structuredClone(message)),
    {},
  );
  const answering = new Calls<Nothing, Questions>(
    (message) => asking.receive(structuredClone(message)),
    ours,
  );
  return asking;
}

Deno.test("a question is answered by the one who was asked, whatever the order of the answers", async () => {
  const late = Promise.withResolvers<string>();
  const calls = connected({
    double: (n) => 2 * n,
    later: () => late.promise,
    open: () => {
      throw new Error("not asked");
    },
  });
  const first = calls.ask("later");
  assertEquals(await calls.ask("double", 21), 42);
  late.resolve("now");
  assertEquals(await first, "now");
});

Deno.test("what is thrown there is thrown here, of the same class where the runtime has one", async () => {
  const throwing = (error: Error) =>
    connected({
      double: (n) => n,
      later: () => Promise.reject(error),
      open: () => {
        throw error;
      },
    });
  await assertRejects(
    () => throwing(new Deno.errors.AddrInUse("in use")).ask("open"),
    Deno.errors.AddrInUse,
    "in use",
  );
  await assertRejects(() => throwing(new RangeError("too far")).ask("later"), Error, "too far");
});
