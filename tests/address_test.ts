/**
 * Addresses as text, and the ranges that IP addresses lie in.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  addressBlock,
  addressSite,
  formatAddress,
  isLoopback,
  KNOWN_FORMS_MAX,
  normalizeIp,
  parseAddress,
  reachableHost,
  reachOf,
} from "../src/address.ts";

const ORIGIN = "198.51.100.7";

const READABLE: [written: string, shown: string, tls: boolean][] = [
  ["chat.example.com:6000", "chat.example.com:6000", false],
  ["Chat.Example.COM", "chat.example.com:5000", false],
  ["chat.example.com.", "chat.example.com:5000", false],
  ["localhost:1", "localhost:1", false],
  ["xn--pypal-4ve.example:1", "xn--pypal-4ve.example:1", false],
  ["my_host-1:65535", "my_host-1:65535", false],
  ["203.0.113.9:5000", "203.0.113.9:5000", false],
  ["203.0.113.9", "203.0.113.9:5000", false],
  [":6000", `${ORIGIN}:6000`, false],
  ["[2001:DB8:0:0::1]:6000", "[2001:db8::1]:6000", false],
  ["[::1]", "[::1]:5000", false],
  ["[::ffff:127.0.0.1]:5000", "127.0.0.1:5000", false],
  ["chat.example.com:443", "chat.example.com:443", true],
  ["wss://chat.example.com", "chat.example.com:443", true],
  ["WSS://chat.example.com:8443", "wss://chat.example.com:8443", true],
  ["wss://[2001:db8::1]:8443", "wss://[2001:db8::1]:8443", true],
  ["wss://:8443", `wss://${ORIGIN}:8443`, true],
  ["ws://chat.example.com", "chat.example.com:5000", false],
  ["ws://chat.example.com:6000", "chat.example.com:6000", false],
  [`${"a".repeat(63)}.example:1`, `${"a".repeat(63)}.example:1`, false],
];

const UNREADABLE: [written: string, reason: string][] = [
  ["", "host"],
  [":", "port"],
  ["host:", "port"],
  ["host:0", "port"],
  ["host:65536", "port"],
  ["host:+1", "port"],
  ["host:1e3", "port"],
  ["http://host:5000", "http://"],
  ["host:5000/chat", "path"],
  ["host/", "path"],
  ["host?x", "path"],
  ["user:pass@host:5000", "credentials"],
  ["::1", "colons"],
  ["2001:db8::1", "colons"],
  ["a:1:2", "colons"],
  ["[fe80::1%eth0]:5000", "host"],
  ["[127.0.0.1]:5000", "host"],
  ["[::1", "colons"],
  ["[]:5000", "host"],
  ["127.1:5000", "host"],
  // A Cyrillic а, full-width letters, and the Kelvin sign, which is a k in lower case.
  ["pаypal.example", "punycode"],
  ["ｃｈａｔ.example", "punycode"],
  ["\u212Aelvin.example", "punycode"],
  ["chat\u200b.example", "punycode"],
  ["0x7f.1:5000", "host"],
  ["0x7f000001", "host"],
  ["2130706433:5000", "host"],
  ["0177.0.0.1:5000", "host"],
  ["127.0.0.01:5000", "host"],
  ["256.0.0.1:5000", "host"],
  ["host.0x:5000", "host"],
  ["a..b:5000", "host"],
  ["-a:5000", "host"],
  ["a b:5000", "host"],
  ["höst:5000", "punycode"],
  ["host\r\nX: y:5000", "colons"],
  ["host\n:5000", "host"],
  [`${"a".repeat(64)}.example:1`, "host"],
  [`${"a.".repeat(127)}aa:1`, "host"],
  ["a".repeat(271), "more than 270 characters"],
];

Deno.test("an address is read in each of its forms and shown in one", () => {
  for (const [written, shown, tls] of READABLE) {
    const address = parseAddress(written, ORIGIN);
    assert(!("problem" in address), `${written}: ${JSON.stringify(address)}`);
    assertEquals([formatAddress(address), address.tls], [shown, tls], written);
    assertEquals(parseAddress(formatAddress(address), "192.0.2.1"), address, `${written}, read again`);
  }
});

Deno.test("an address without a host is that of an IPv6 origin in brackets", () => {
  const address = parseAddress(":5000", "2001:db8::7");
  assert(!("problem" in address));
  assertEquals(formatAddress(address), "[2001:db8::7]:5000");
});

Deno.test("what is no address is refused with what is wrong about it", () => {
  for (const [written, reason] of UNREADABLE) {
    const address = parseAddress(written, ORIGIN);
    assert(
      "problem" in address && address.problem.includes(reason),
      `${written}: ${JSON.stringify(address)}`,
    );
  }
});

const REACH: [ip: string, reach: string][] = [
  ["8.8.8.8", "public"],
  ["172.15.255.255", "public"],
  ["172.32.0.0", "public"],
  ["127.0.0.1", "local"],
  ["127.255.255.254", "local"],
  ["10.0.0.1", "local"],
  ["172.16.0.1", "local"],
  ["172.31.255.255", "local"],
  ["192.168.1.1", "local"],
  ["100.64.0.1", "local"],
  ["169.254.1.1", "local"],
  ["0.0.0.0", "none"],
  ["0.1.2.3", "none"],
  ["255.255.255.255", "none"],
  ["224.0.0.1", "none"],
  ["240.0.0.1", "none"],
  ["192.0.2.1", "none"],
  ["198.18.0.1", "none"],
  ["169.254.169.254", "none"],
  ["100.100.100.200", "none"],
  ["168.63.129.16", "none"],
  ["2606:4700::1", "public"],
  ["::1", "local"],
  ["fe80::1", "local"],
  ["fc00::1", "local"],
  ["fd12:3456::1", "local"],
  ["::", "none"],
  ["ff02::1", "none"],
  ["fec0::1", "none"],
  ["fd00:ec2::254", "none"],
  ["2001:db8::1", "none"],
  ["2001::1", "none"],
  ["64:ff9b:1::a00:1", "none"],
  ["4000::1", "none"],
  // Mapped, IPv4-compatible, translated, NAT64 and 6to4: by the IPv4 address inside.
  ["::ffff:8.8.8.8", "public"],
  ["::ffff:127.0.0.1", "local"],
  ["::ffff:7f00:1", "local"],
  ["::ffff:169.254.169.254", "none"],
  ["::127.0.0.1", "local"],
  ["::7f00:1", "local"],
  ["::8.8.8.8", "public"],
  ["::ffff:0:10.0.0.1", "local"],
  ["64:ff9b::8.8.8.8", "public"],
  ["64:ff9b::7f00:1", "local"],
  ["64:ff9b::169.254.169.254", "none"],
  ["2002:7f00:1::1", "local"],
  ["2002:a9fe:a9fe::1", "none"],
  ["2002:808:808::1", "public"],
  // No IP address, or one of the forms that systems read differently.
  ["127.1", "none"],
  ["0x7f000001", "none"],
  ["2130706433", "none"],
  ["example.com", "none"],
  ["", "none"],
];

Deno.test("an IP address is judged by its range, and by the IPv4 address inside where it carries one", () => {
  for (const [ip, reach] of REACH) assertEquals(reachOf(ip), reach, ip);
});

Deno.test("an IP address has one form", () => {
  for (
    const [text, normalized] of [
      ["::ffff:10.0.0.1", "10.0.0.1"],
      ["::FFFF:a00:1", "10.0.0.1"],
      ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
      ["fe80::1%eth0", "fe80::1"],
      ["10.0.0.1", "10.0.0.1"],
      ["010.0.0.1", undefined],
      ["10.1", undefined],
      ["host", undefined],
    ] as const
  ) assertEquals(normalizeIp(text), normalized, text);
});

Deno.test("an address has its form again, also when more were asked for since than are remembered", () => {
  const form = (i: number) => [`::ffff:10.0.${i >> 8}.${i & 255}`, `10.0.${i >> 8}.${i & 255}`] as const;
  for (const count of [KNOWN_FORMS_MAX, KNOWN_FORMS_MAX + 1]) {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < count; i++) assertEquals(normalizeIp(form(i)[0]), form(i)[1]);
    }
  }
});

Deno.test("loopback is told from all else", () => {
  for (const ip of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) assert(isLoopback(ip), ip);
  for (const ip of ["10.0.0.1", "::2", "localhost", "128.0.0.1"]) assertFalse(isLoopback(ip), ip);
});

Deno.test("limits count an IPv4 address by itself and an IPv6 address by its /64", () => {
  assertEquals(addressBlock("::ffff:198.51.100.7"), "198.51.100.7");
  assertEquals(addressBlock("2001:db8:0:1::1"), addressBlock("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  assert(addressBlock("2001:db8:0:1::1") !== addressBlock("2001:db8:0:2::1"));
});

Deno.test("a site is the /48 of an IPv6 address, and nothing else has one", () => {
  assertEquals(addressSite("2001:db8:1:1::1"), addressSite("2001:db8:1:ffff::2"));
  assert(addressSite("2001:db8:1::1") !== addressSite("2001:db8:2::1"));
  for (const ip of ["198.51.100.7", "::ffff:198.51.100.7", "unix"]) assertEquals(addressSite(ip), undefined);
});

Deno.test("a server that listens everywhere is reached at localhost, and any other where it listens", () => {
  const hosts = {
    "0.0.0.0": "localhost",
    "::": "localhost",
    "127.0.0.1": "127.0.0.1",
    "::1": "[::1]",
    "a.example": "a.example",
  };
  for (const [listened, reached] of Object.entries(hosts)) assertEquals(reachableHost(listened), reached);
});
