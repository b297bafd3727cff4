/**
 * Reads the platform of an executable from its head: the format (ELF, Mach-O or PE) and the processor. It cannot show
 * whether the program runs there.
 *
 * @module
 */

/** Bytes of a file that suffice. */
export const HEAD_BYTES = 4096;

/** By e_machine, cputype and Machine of the formats. */
const ELF_MACHINES: Readonly<Record<number, string>> = { 0x3e: "x86_64", 0xb7: "aarch64" };
const MACH_O_TYPES: Readonly<Record<number, string>> = { 0x0100_0007: "x86_64", 0x0100_000c: "aarch64" };
const PE_MACHINES: Readonly<Record<number, string>> = { 0x8664: "x86_64", 0xaa64: "aarch64" };

/** The platform in Deno's form, such as `x86_64-unknown-linux-gnu`; undefined if unknown. */
export function platformOf(head: Uint8Array): string | undefined {
  if (head.length < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const named = (processor: string | undefined, system: string) => processor && `${processor}-${system}`;
  if (view.getUint32(0) === 0x7f45_4c46) {
    return named(ELF_MACHINES[view.getUint16(18, true)], "unknown-linux-gnu");
  }
  if (view.getUint32(0, true) === 0xfeed_facf) {
    return named(MACH_O_TYPES[view.getUint32(4, true)], "apple-darwin");
  }
  const peAt = view.getUint32(0x3c, true);
  if (view.getUint16(0) === 0x4d5a && peAt + 6 <= head.length && view.getUint32(peAt) === 0x5045_0000) {
    return named(PE_MACHINES[view.getUint16(peAt + 4, true)], "pc-windows-msvc");
  }
  return undefined;
}
