/**
 * The lines of the log as a person and as a machine read them.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { lineFormatter } from "../src/logging/log_line.ts";

type LogRecord = Parameters<ReturnType<typeof lineFormatter>>[0];

function record(properties: Record<string, unknown>, message = "listening"): LogRecord {
  return {
    category: ["chatter", "chat"],
    level: "info",
    message: [message],
    rawMessage: message,
    timestamp: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    properties,
  };
}

const pretty = lineFormatter("pretty", false);
const json = lineFormatter("json", false);

Deno.test("a pretty line has time, level, part, event and named values, in that order", () => {
  assertMatch(
    pretty(record({ url: "http://127.0.0.1:5000/", users: 3, open: true, none: undefined })),
    /^\d\d:\d\d:\d\d INFO {2}chat listening url=http:\/\/127\.0\.0\.1:5000\/ users=3 open=true\n$/,
  );
});

Deno.test("a pretty line aligns what follows levels of different length", () => {
  const column = (level: LogRecord["level"]) => pretty({ ...record({}), level }).indexOf(" chat ");
  const columns = (["trace", "debug", "info", "warning", "error", "fatal"] as const).map(column);
  assertEquals(new Set(columns).size, 1);
});

Deno.test("a pretty line quotes values that have blanks, quotes or nothing in them", () => {
  const line = pretty(record({ name: "Anna Maria", said: 'a"b', empty: "", list: ["a b", 1], big: 5n }));
  assertMatch(line, / name="Anna Maria" said="a\\"b" empty="" list=\["a b",1\] big=5\n$/);
});

Deno.test("a value cannot make a line of its own or steer the terminal", () => {
  for (const evil of ["a\nb", "a\r\nb", "\x1b[2J", "\u009b2J", "\u202eevil", "a\u0000b", "\x7f", "\u2066"]) {
    for (const name of ["value", "nested"]) {
      const line = pretty(record({ [name]: name === "nested" ? { evil } : evil }));
      assertEquals(line.split("\n").length, 2, line);
      // deno-lint-ignore no-control-regex -- the characters that must not be there
      assertFalse(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(line), JSON.stringify(line));
    }
  }
});

Deno.test("an error shows its message on the line and its stack below", () => {
  const [line, ...below] = pretty(record({ error: new TypeError("no such thing") })).split("\n");
  assertMatch(line ?? "", / error="no such thing"$/);
  assertMatch(below[0] ?? "", /^ {4}TypeError: no such thing$/);
  assertMatch(below[1] ?? "", /^ {8}at /);
});

Deno.test("colours are in a pretty line only where they are asked for", () => {
  assertFalse(pretty(record({})).includes("\x1b["));
  assert(lineFormatter("pretty", true)(record({})).includes("\x1b["));
});

Deno.test("a JSON line is one flat object", () => {
  assertEquals(JSON.parse(json(record({ url: "http://x/", users: 3 }))), {
    "@timestamp": "2026-01-02T03:04:05.678Z",
    level: "INFO",
    message: "listening",
    logger: "chat",
    url: "http://x/",
    users: 3,
  });
});

Deno.test("a JSON line is one line whatever is in it, and keeps an error with its stack", () => {
  const line = json(record({ text: "a\nb\u2028c", error: new TypeError("no such thing") }));
  assertEquals(line.split("\n").length, 2);
  const { error } = JSON.parse(line);
  assertEquals(error.name, "TypeError");
  assertEquals(error.message, "no such thing");
  assertMatch(error.stack, /at /);
});
