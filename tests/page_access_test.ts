/**
 * Which web pages a server answers, as one table: where the connection arrived, the settings, and what the browser sent.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  type Arrival,
  arrivalAt,
  judgePage,
  LENGTH_MAX,
  namesOfLoopback,
  PageAccess,
  type PageRequest,
  type PageRules,
} from "../src/serving/page_access.ts";
import { recordedLog } from "./support/recorded_log.ts";

const DEFAULTS: PageRules = { allowedOrigins: undefined, trustProxy: false };
const MACHINE = "box";

/** What becomes of a request: "ok", or what it is refused for. */
function fate(
  arrival: Arrival,
  origin: string | null,
  host: string,
  rules: Partial<PageRules> = {},
  asked: Partial<PageRequest> = {},
): string {
  const request: PageRequest = { arrival, kind: "socket", origin, host, isCrossSite: false, ...asked };
  return judgePage(request, { ...DEFAULTS, ...rules }, (name) => name === MACHINE) ?? "ok";
}

type Row = readonly [
  arrival: Arrival,
  origin: string | null,
  host: string,
  expected: string,
  rules?: Partial<PageRules>,
];

function holds(rows: readonly Row[], asked: Partial<PageRequest> = {}): void {
  for (const [arrival, origin, host, expected, rules = {}] of rows) {
    const of = `${arrival} ${origin} at ${host} with ${JSON.stringify(rules)}`;
    assertEquals(fate(arrival, origin, host, rules, asked), expected, of);
  }
}

const EVIL = "https://evil.example";
const trustProxy = { trustProxy: true };

Deno.test("a handshake without an origin is a program's, which may always connect", () => {
  for (const arrival of ["loopback", "private", "public"] as const) {
    for (const rules of [{}, { allowedOrigins: ["https://chat.example"] }, { allowedOrigins: ["null"] }]) {
      for (const host of ["evil.example", "", "127.0.0.1:5000"]) {
        assertEquals(fate(arrival, null, host, rules), "ok", `${arrival} ${host}`);
      }
    }
  }
});

Deno.test("on a public address, or behind a trusted proxy, pages of any origin may connect", () => {
  holds([
    ["public", EVIL, "chat.example", "ok"],
    ["public", "null", "chat.example", "ok"],
    ["public", "http://localhost:3000", "203.0.113.7:5000", "ok"],
    ["loopback", EVIL, "chat.example", "ok", trustProxy],
    ["private", "null", "backend", "ok", trustProxy],
  ]);
});

Deno.test("on a private address the page's host is the one in Host, or the page is from disk", () => {
  const longest = `http://${"a".repeat(LENGTH_MAX - 7)}`;
  holds([
    ["private", "http://192.168.1.5:5000", "192.168.1.5:5000", "ok"],
    ["private", "https://192.168.1.5", "192.168.1.5:5000", "ok"],
    ["private", "http://[fd00::5]:8000", "[fd00:0::5]:5000", "ok"],
    ["private", "http://chat.lan:8000", "CHAT.LAN.:5000", "ok"],
    ["private", "null", "192.168.1.5:5000", "ok"],
    ["private", "file://", "192.168.1.5:5000", "ok"],
    ["private", EVIL, "192.168.1.5:5000", "origin"],
    ["private", "http://192.168.1.6:5000", "192.168.1.5:5000", "origin"],
    ["private", "http://localhost:5000", "192.168.1.5:5000", "origin"],
    ["private", "http://chat.lan.evil.example", "chat.lan", "origin"],
    ["private", "http://x.chat.lan", "chat.lan", "origin"],
    ["private", "http://192.168.1.5:5000, http://evil.example", "192.168.1.5:5000", "origin"],
    ["private", "", "", "origin"],
    ["private", "evil", "evil", "origin"],
    ["private", "NULL", "192.168.1.5", "origin"],
    ["private", longest, longest.slice(7), "ok"],
    ["private", `${longest}a`, `${longest}a`.slice(7), "origin"],
  ]);
});

Deno.test("on loopback all its names and addresses are one host", () => {
  const names = ["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "app.localhost", "0.0.0.0", MACHINE];
  for (const page of names) {
    for (const host of names) {
      assertEquals(fate("loopback", `http://${page}:8000`, `${host}:5000`), "ok", `${page} at ${host}`);
    }
  }
  holds([
    ["loopback", "tauri://localhost", "127.0.0.1:5000", "ok"],
    ["loopback", "null", "localhost:5000", "ok"],
    ["loopback", EVIL, "localhost:5000", "origin"],
    ["loopback", "http://localhost.evil.example", "localhost:5000", "origin"],
    ["loopback", "http://notlocalhost", "localhost:5000", "origin"],
    ["loopback", "chrome-extension://abcdef", "localhost:5000", "origin"],
    ["loopback", "http://192.168.1.5:8000", "localhost:5000", "origin"],
  ]);
});

Deno.test("on loopback a host name that is not the server's is refused, whatever the origin: a site can point its name here", () => {
  const address = "wss://chat.example";
  holds([
    ["loopback", "http://evil.example:5000", "evil.example:5000", "host"],
    ["loopback", "null", "evil.example:5000", "host"],
    ["loopback", "http://localhost:5000", "evil.example@localhost:5000", "host"],
    ["loopback", "http://x", "x", "host"],
    ["loopback", "null", "", "host"],
    ["loopback", "https://chat.example", "chat.example", "ok", { address }],
    ["loopback", "https://chat.example", "chat.example:5000", "ok", { address: "chat.example:6000" }],
    ["loopback", EVIL, "chat.example", "origin", { address }],
    ["loopback", EVIL, "evil.example", "host", { address }],
    ["loopback", EVIL, "evil.example", "host", { address: ":5000" }],
    ["loopback", "http://10.0.0.1:5000", "10.0.0.1:5000", "ok"],
  ]);
});

Deno.test("given origins are exact, on every address, beside the server's own page", () => {
  const rules = { allowedOrigins: ["https://chat.example", "app://chat"] };
  for (const arrival of ["loopback", "private", "public"] as const) {
    for (const more of [{}, trustProxy]) {
      const all = { ...rules, ...more };
      holds([
        [arrival, "https://chat.example", "127.0.0.1:5000", "ok", all],
        [arrival, "app://chat", "127.0.0.1:5000", "ok", all],
        [arrival, "http://chat.example", "127.0.0.1:5000", "origin", all],
        [arrival, "https://chat.example:8443", "127.0.0.1:5000", "origin", all],
        [arrival, "https://chat.example.evil", "127.0.0.1:5000", "origin", all],
        [arrival, "null", "127.0.0.1:5000", "origin", all],
        [arrival, "file://", "127.0.0.1:5000", "origin", all],
        [arrival, "http://127.0.0.1:5000", "127.0.0.1:5000", "ok", all],
        [arrival, "http://127.0.0.1:8000", "127.0.0.1:5000", "origin", all],
        [arrival, "http://localhost:5000", "127.0.0.1:5000", "origin", all],
        [arrival, "http://chat.example", "chat.example", "ok", all],
      ]);
    }
  }
  holds([
    ["public", "https://pub.example", "pub.example", "ok", rules],
    ["public", "https://pub.example:8443", "pub.example", "ok", rules],
    ["public", "https://pub.example:8443", "pub.example:5000", "origin", rules],
    ["loopback", "https://pub.example", "backend", "ok", {
      ...rules,
      ...trustProxy,
      address: "wss://pub.example",
    }],
    ["loopback", EVIL, "evil.example", "host", rules],
    ["private", "null", "10.0.0.1", "ok", { allowedOrigins: ["null"] }],
    ["private", "file://", "10.0.0.1", "origin", { allowedOrigins: ["null"] }],
    ["loopback", EVIL, "evil.example", "ok", { allowedOrigins: ["*"] }],
    ["private", "null", "10.0.0.1", "ok", { allowedOrigins: ["https://chat.example", "*"] }],
  ]);
});

Deno.test("a page of another site reads nothing on a private address, and everything public", () => {
  holds([
    ["public", EVIL, "list.example", "ok"],
    ["public", EVIL, "list.example", "ok", { allowedOrigins: ["https://chat.example"] }],
    ["loopback", EVIL, "list.example", "ok", trustProxy],
    ["private", EVIL, "10.0.0.1", "origin"],
    ["private", "null", "10.0.0.1", "ok"],
    ["loopback", "http://localhost:5000", "127.0.0.1:8000", "ok"],
    ["loopback", EVIL, "127.0.0.1:8000", "origin"],
    // A page whose name leads here sends no origin with its own reads.
    ["loopback", null, "evil.example:8000", "host"],
    ["loopback", null, "list.example:8000", "ok", { allowedOrigins: ["http://list.example:8000"] }],
    ["loopback", null, "listing:8000", "ok"],
    ["loopback", null, "", "ok"],
    ["private", null, "list.example:8000", "ok"],
  ], { kind: "read" });
  holds([
    ["loopback", null, "127.0.0.1:8000", "origin"],
    ["private", null, "10.0.0.1:8000", "origin"],
    ["public", null, "list.example", "ok"],
    ["private", null, "10.0.0.1:8000", "ok", { allowedOrigins: ["*"] }],
  ], { kind: "read", isCrossSite: true });
});

Deno.test("a write of a program is not judged, one of a page is", () => {
  holds([
    ["loopback", null, "list.example", "ok"],
    ["private", EVIL, "10.0.0.1", "origin"],
    ["loopback", "http://evil.example", "evil.example", "host"],
    ["public", EVIL, "list.example", "ok"],
    ["public", EVIL, "list.example", "origin", { allowedOrigins: ["https://chat.example"] }],
  ], { kind: "write" });
});

Deno.test("the names of this machine are those that its hosts file leads to loopback", () => {
  const hosts =
    "127.0.0.1 localhost\n127.0.1.1\tBox.lan  box # chat.example\n#::1 no\n10.0.0.1 pub.lan\n::1 six.\n";
  assertEquals(namesOfLoopback(hosts), ["localhost", "box.lan", "box", "six"]);
  assertEquals(namesOfLoopback(""), []);
  const pages = new PageAccess({ rules: DEFAULTS, steadyMs: () => 0, log: recordedLog().log });
  const ofFiles = [...namesOfLoopback(read("/etc/hosts")), read("/etc/hostname").trim()];
  for (const name of ofFiles.filter((name) => name !== "")) {
    const asked = new Request("http://127.0.0.1/", {
      headers: { host: name, origin: `http://${name}:8000` },
    });
    assertEquals(pages.judge(asked, "127.0.0.1"), undefined, name);
  }
});

/** The text of a file of the system; empty if there is none. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

Deno.test("a connection arrived at loopback, in a private network, or where all hosts may connect", () => {
  const arrivals: readonly (readonly [Arrival, readonly string[]])[] = [
    ["loopback", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]],
    ["private", [
      "10.0.0.1",
      "192.168.1.5",
      "172.17.0.2",
      "169.254.1.1",
      "100.64.0.1",
      "fd00::1",
      "fe80::1%eth0",
    ]],
    ["private", ["::ffff:10.0.0.1", "198.18.0.1", "240.0.0.1"]],
    ["public", ["8.8.8.8", "2a00:1450::1", "unknown", ""]],
  ];
  for (const [arrival, addresses] of arrivals) {
    for (const address of addresses) assertEquals(arrivalAt(address), arrival, address);
  }
});

Deno.test("a refused page is logged once a second, with its origin, its host and the flag", () => {
  const { log, lines } = recordedLog();
  let nowMs = 0;
  const pages = new PageAccess({ rules: DEFAULTS, steadyMs: () => nowMs, log });
  const ask = (headers: Record<string, string>) =>
    pages.refuse(new Request("http://127.0.0.1:5000/", { headers }), "127.0.0.1");
  assertEquals(ask({ origin: EVIL }), "origin");
  assertEquals(ask({ origin: EVIL }), "origin");
  nowMs = 1000;
  assertEquals(ask({ origin: `http://${"x".repeat(1000)}` }), "origin");
  assertEquals(ask({ origin: "http://localhost:8000" }), undefined);
  assertEquals(ask({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), "origin");
  assertEquals(ask({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), undefined, "a link");
  assertEquals(ask({ "sec-fetch-mode": "cors" }), undefined, "the fetch of Node.js");
  const values = { because: "origin", flag: "--allowed-origins", host: "127.0.0.1:5000" };
  assertEquals(lines.map(({ event, properties }) => [event, properties]), [
    ["page.refused", { ...values, origin: EVIL, suppressed: 0 }],
    ["page.refused", { ...values, origin: `http://${"x".repeat(293)}`, suppressed: 1 }],
  ]);
  const onPlatform = new PageAccess({ rules: DEFAULTS, isPublic: true, steadyMs: () => 0, log });
  assertEquals(
    onPlatform.judge(new Request("http://x.example/", { headers: { origin: EVIL } }), "127.0.0.1"),
    undefined,
  );
});
