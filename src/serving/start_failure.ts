/**
 * Turns a failure to start into one line for the operator: what was tried and what to do. Bugs get no line; they are
 * logged with their stack.
 *
 * @module
 */
import { bracketed } from "../address.ts";
import { KvUnavailable } from "../kv/kv.ts";

/** Codes of node:net for an address that this machine does not have; EINVAL is Deno's. */
const NO_OWN_ADDRESS = ["EADDRNOTAVAIL", "ENOTFOUND", "EINVAL"];

/** A failure whose message is already the line to show. */
export class CannotStart extends Error {
  override name = "CannotStart";
}

export interface ListenAddress {
  /** Undefined for all addresses. */
  readonly hostname?: string | undefined;
  readonly port: number;
}

/** The line for `error`; undefined for a bug. */
export function startFailure(error: unknown, { hostname, port }: ListenAddress): string | undefined {
  if (error instanceof CannotStart || error instanceof KvUnavailable) return oneLine(error.message);
  if (!(error instanceof Error) || !isOfTheWorld(error)) return undefined;
  const place = hostname === undefined ? `port ${port}` : `${bracketed(hostname)}:${port}`;
  const listen = `Cannot listen on ${place}`;
  // node:net reports the same failures by a code.
  const code = "code" in error ? error.code : undefined;
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return `${listen}: the port is in use. Stop the program that uses it, or give another --port; 0 chooses a free one`;
  }
  if (
    error instanceof Deno.errors.AddrNotAvailable ||
    (typeof code === "string" && NO_OWN_ADDRESS.includes(code)) ||
    /lookup address|invalid host/.test(error.message)
  ) {
    return `${listen}: this machine does not have this address. Give another --hostname, or none for all addresses`;
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return `${listen}: this user is not allowed to. Give a --port of 1024 or more, or the right to use a lower one`;
  }
  if (error instanceof Deno.errors.InvalidData || error.message.includes("KeyMismatch")) {
    return `Cannot use the files of --tls-cert and --tls-key: ${oneLine(error.message)}. ` +
      "Give a certificate and its private key, both in PEM";
  }
  return `Cannot start: ${oneLine(error.message)}`;
}

/** The platform reports failures by its own classes or a plain Error; bugs throw other classes. */
function isOfTheWorld(error: Error): boolean {
  return error.constructor === Error || error instanceof URIError ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}
