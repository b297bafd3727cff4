/**
 * The command lines of `chatter client` and `chatter servers`: forms of addresses, defaults, variables.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse, problemOf, valuesOf } from "./support/command_line.ts";

Deno.test("a chat server's address is read in every form in which it is written, and the default without one", () => {
  const operand = (text: string) => {
    const read = parse(["client", ...(text === "" ? [] : [text])]);
    return read.kind === "client" ? read.operand : undefined;
  };
  const forms: [string, string][] = [
    ["", "ws://127.0.0.1:5000"],
    ["localhost", "ws://localhost:5000"],
    ["Chat.Example:5001", "ws://chat.example:5001"],
    [":5001", "ws://127.0.0.1:5001"],
    ["[::1]:5001", "ws://[::1]:5001"],
    ["chat.example:443", "wss://chat.example:443"],
    ["ws://chat.example", "ws://chat.example:5000"],
    ["wss://chat.example", "wss://chat.example:443"],
    ["http://chat.example", "ws://chat.example:80"],
    ["http://chat.example:5000/", "ws://chat.example:5000"],
    ["https://chat.example/room?x=1", "wss://chat.example:443/room?x=1"],
    ["HTTPS://chat.example", "wss://chat.example:443"],
  ];
  for (const [text, url] of forms) assertEquals(operand(text), url, text);
  const wrong = [
    "ftp://chat.example",
    "chat.example/room",
    "ws://",
    "ws://u@chat.example",
    "ws://chat.example/#x",
    "chat example",
    "127.1",
  ];
  for (const text of wrong) {
    assertStringIncludes(problemOf(["client", text]), `ADDRESS is "${text}"; allowed:`);
  }
  assertMatch(
    problemOf("client a b"),
    /^chatter client takes one ADDRESS, in quotes if it has spaces, not "b"/,
  );
});

Deno.test("the client and the list of servers have the defaults that are documented", () => {
  assertEquals(valuesOf("client"), { name: undefined, plain: false, noBell: false });
  const onTerminal = parse("client", {}, true);
  assertEquals("values" in onTerminal && onTerminal.values, valuesOf("client"));
  assertEquals(valuesOf("client", { CHATTER_CLIENT_NAME: "Zoe\u0308" }).name, "Zoë");
  assertEquals(valuesOf("client", { CHATTER_NAME: "The Pub" }).name, undefined);
  assertMatch(problemOf("client --name a;b"), /^--name is "a;b"; allowed: 1 to 32 letters/);
  assertEquals(valuesOf("servers"), { listing: "http://127.0.0.1:8000", json: false, ping: false });
  assertEquals(valuesOf("servers --listing https://list.example/").listing, "https://list.example");
});
