/**
 * The files of --tls-cert and --tls-key: read, and proven to be a certificate and its key before anybody is served
 * with them.
 *
 * @module
 */
import type { Reconfigured } from "./reload.ts";
import { CannotStart } from "./start_failure.ts";

/** A certificate chain and its key, as PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Reads both; undefined where none are named. Throws `CannotStart` for a file that cannot be read. */
export async function readTlsFiles(
  { tlsCert, tlsKey }: { readonly tlsCert: string | undefined; readonly tlsKey: string | undefined },
): Promise<Tls | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: await readNamed("--tls-cert", tlsCert), key: await readNamed("--tls-key", tlsKey) };
}

/** Throws what the runtime says of what cannot be used: node:tls finds out at the first handshake only. */
export function proveTls({ cert, key }: Tls): void {
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}

/**
 * What comes of another certificate, or the same: `renew` has those who connect from now on see it, and says whether it
 * could. To speak TLS or not is not changed while a server runs.
 */
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

async function readNamed(flag: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s*\n\s*/g, " ").trim() : String(error);
    throw new CannotStart(`Cannot read the file of ${flag}: ${reason}`, { cause: error });
  }
}
