/**
 * The deadline of a request's body, with a clock of the test. The tests of the routes cover its size.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import { BODY_SECONDS_MAX, readJsonBody } from "../../../listing/http/read_body.ts";

const running = new AbortController().signal;

/** A request whose body starts with `{`; the test sends the rest. `cancelled` resolves when the reader gives up. */
function openRequest(): {
  request: Request;
  send: (text: string) => void;
  end: () => void;
  cancelled: boolean;
} {
  const open = { cancelled: false } as ReturnType<typeof openRequest>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      open.send = (text) => controller.enqueue(new TextEncoder().encode(text));
      open.end = () => controller.close();
      open.send("{");
    },
    cancel() {
      open.cancelled = true;
    },
  });
  open.request = new Request("http://listing.test/", { method: "POST", body });
  return open;
}

Deno.test("a body that ends in time is read, one that is later is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const inTime = openRequest();
    const read = readJsonBody(inTime.request, running);
    mock.timers.tick(BODY_SECONDS_MAX * 1000 - 1);
    inTime.send("}");
    inTime.end();
    assertEquals(await read, { json: {} });
    const late = openRequest();
    const givenUp = readJsonBody(late.request, running);
    mock.timers.tick(BODY_SECONDS_MAX * 1000);
    const refusal = await givenUp;
    assertEquals(["status" in refusal && refusal.status, late.cancelled], [408, true]);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("a body that is still to come is not waited for when the listing stops", async () => {
  const stopping = new AbortController();
  const open = openRequest();
  const read = readJsonBody(open.request, stopping.signal);
  stopping.abort();
  const refusal = await read;
  assertEquals(["status" in refusal && refusal.status, open.cancelled], [503, true]);
});
