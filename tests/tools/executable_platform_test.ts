/**
 * For which platform an executable is: heads of each format, and this very Deno.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TARGETS } from "../../tools/compile_all.ts";
import { HEAD_BYTES, platformOf } from "../../tools/executable_platform.ts";

type Part = readonly [at: number, bytes: readonly number[]];

/** A head with these bytes at these places. */
function head(...parts: readonly Part[]): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  for (const [at, part] of parts) bytes.set(part, at);
  return bytes;
}

const ELF: Part = [0, [0x7f, 0x45, 0x4c, 0x46]];
const MACH_O: Part = [0, [0xcf, 0xfa, 0xed, 0xfe]];
const MZ: Part = [0, [0x4d, 0x5a]];
const PE_AT_128: Part = [0x3c, [0x80, 0, 0, 0]];
const PE: Part = [0x80, [0x50, 0x45, 0, 0]];

const HEADS: readonly [Uint8Array, string | undefined][] = [
  [head(ELF, [18, [0x3e, 0]]), "x86_64-unknown-linux-gnu"],
  [head(ELF, [18, [0xb7, 0]]), "aarch64-unknown-linux-gnu"],
  [head(MACH_O, [4, [7, 0, 0, 1]]), "x86_64-apple-darwin"],
  [head(MACH_O, [4, [12, 0, 0, 1]]), "aarch64-apple-darwin"],
  [head(MZ, PE_AT_128, PE, [0x84, [0x64, 0x86]]), "x86_64-pc-windows-msvc"],
  [head(ELF, [18, [0x28, 0]]), undefined],
  [head(MZ, [0x3c, [0xff, 0xff, 0xff, 0xff]]), undefined],
  [head(MZ, PE_AT_128), undefined],
  [new TextEncoder().encode("#!/bin/sh\n".repeat(20)), undefined],
  [new Uint8Array(3), undefined],
];

Deno.test("an executable's platform is told by its head, for every target and nothing else", () => {
  assertEquals(HEADS.map(([head]) => platformOf(head)), HEADS.map(([, platform]) => platform));
  assertEquals(TARGETS.filter((target) => !HEADS.some(([, platform]) => platform === target)), []);
});

Deno.test("this Deno is for the platform that it says", async () => {
  using file = await Deno.open(Deno.execPath());
  const bytes = new Uint8Array(HEAD_BYTES);
  assertEquals(await file.read(bytes), HEAD_BYTES);
  assertEquals(platformOf(bytes), Deno.build.target);
});
