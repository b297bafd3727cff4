/**
 * Why a server could not start, as one line for whoever started it: what was tried, and what to do.
 *
 * Only for failures of the world. For a bug there is no such line; it is logged with its stack.
 *
 * @module
 */
import { KvUnavailable } from "../kv/kv.ts";

/** What node:net says of an address that is no address of this machine; EINVAL is Deno's word for it there. */
const NO_OWN_ADDRESS = ["EADDRNOTAVAIL", "ENOTFOUND", "EINVAL"];

/** A reason not to start that already is the line to show. */
export class CannotStart extends Error {
  override name = "CannotStart";
}

export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The line for `error`, or undefined where it is a bug. */
export function startFailure(error: unknown, { hostname, port }: ListenAddress): string | undefined {
  if (error instanceof CannotStart || error instanceof KvUnavailable) return oneLine(error.message);
  if (!(error instanceof Error) || !isOfTheWorld(error)) return undefined;
  const listen = `Cannot listen on ${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  // The sockets of node:net name the same failures by a code.
  const code = "code" in error ? error.code : undefined;
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return `${listen}: the port is taken. Stop the program that has it, or give another by --port; 0 takes a free one`;
  }
  if (
    error instanceof Deno.errors.AddrNotAvailable ||
    (typeof code === "string" && NO_OWN_ADDRESS.includes(code)) ||
    /lookup address|invalid host/.test(error.message)
  ) {
    return `${listen}: that is no address of this machine. Give one by --hostname; 0.0.0.0 stands for all`;
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return `${listen}: this user may not. Give a port from 1024 up by --port, or the right to take a lower one`;
  }
  if (error instanceof Deno.errors.InvalidData || error.message.includes("KeyMismatch")) {
    return `Cannot use the files of --tls-cert and --tls-key: ${oneLine(error.message)}. ` +
      "Give a certificate and its own key, both in PEM";
  }
  return `Cannot start: ${oneLine(error.message)}`;
}

/** The platform reports the world by its own classes, or by a plain Error. What a bug throws is neither. */
function isOfTheWorld(error: Error): boolean {
  return error.constructor === Error || error instanceof URIError ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, " ").trim();
}
