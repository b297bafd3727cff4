/**
 * Reads the files of --tls-cert and --tls-key and proves before use that they are a certificate and its key.
 *
 * @module
 */
import type { Reconfigured } from "./reload.ts";
import { CannotStart } from "./start_failure.ts";

/** A certificate chain and its key in PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Reads both files; undefined if none are named. Throws `CannotStart` if one cannot be read. */
export async function readTlsFiles(
  { tlsCert, tlsKey }: { readonly tlsCert: string | undefined; readonly tlsKey: string | undefined },
): Promise<Tls | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: await readNamed("--tls-cert", tlsCert), key: await readNamed("--tls-key", tlsKey) };
}

/** Throws the runtime's error for an unusable pair; node:tls would fail only at the first handshake. */
export function proveTls({ cert, key }: Tls): void {
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}

/** Compares two certificates and applies a new one by `renew`, which returns whether it could. */
export async function renewal(
  now: Tls | undefined,
  next: Tls | undefined,
  renew: (tls: Tls) => Promise<boolean>,
): Promise<Reconfigured["certificate"]> {
  if (now === undefined && next === undefined) return "none";
  if (now !== undefined && next !== undefined) {
    if (now.cert === next.cert && now.key === next.key) return "as before";
    if (await renew(next)) return "renewed";
  }
  return "waits for a restart";
}

/** The text of the file that a flag names. Throws `CannotStart` if it cannot be read. */
export async function readNamed(flag: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ").trim() : String(error);
    throw new CannotStart(`Cannot read the file of ${flag}: ${reason}`, { cause: error });
  }
}
