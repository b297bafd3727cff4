/**
 * Reads a request body within limits on bytes and time, PROTOCOL.md §9.9. It counts received bytes, so a body without
 * Content-Length is limited too. The runtime has no deadline for a slow body.
 *
 * @module
 */
import { type Refusal, refuse } from "../refusals.ts";

/** Bytes of a request body: a name, an address and two numbers need under 2 KiB in any script. */
export const BODY_BYTES_MAX = 8192;
/** Seconds from the request's head to the end of its body. */
export const BODY_SECONDS_MAX = 10;

/** Reads before others have their turn: most bodies come in one. */
const READS_AT_ONCE = 64;

/**
 * Reads the body as JSON; `json` is undefined for an empty body. Refuses at once when `stopping` is aborted, and a type
 * other than JSON.
 */
export async function readJsonBody(
  request: Request,
  stopping: AbortSignal,
  secondsMax: number = BODY_SECONDS_MAX,
): Promise<{ readonly json: unknown } | Refusal> {
  const bytes = await readBytes(request, stopping, secondsMax);
  if (!(bytes instanceof Uint8Array)) return bytes;
  if (!hasAllowedType(request.headers)) return refuse("TYPE_REFUSED");
  if (bytes.length === 0) return { json: undefined };
  try {
    return { json: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch (error) {
    // The parser's message repeats the sender's text, to the sender only.
    return refuse("BODY_NOT_JSON", error instanceof SyntaxError ? error.message : "it is not UTF-8");
  }
}

/** What the fetch of Deno and of Node.js writes for a text whose program names no type. */
const NO_TYPE_NAMED = "text/plain;charset=utf-8";

/**
 * A page may send any other type, or none, to every host without the consent of that host. Programs may leave the type
 * out, as clients of 2021 do.
 */
function hasAllowedType(headers: Headers): boolean {
  const type = headers.get("content-type")?.toLowerCase() ?? NO_TYPE_NAMED;
  if (type === NO_TYPE_NAMED) return !headers.has("origin");
  const name = type.split(";", 1)[0]!.trim();
  return name === "application/json" || (name.startsWith("application/") && name.endsWith("+json"));
}

async function readBytes(
  request: Request,
  stopping: AbortSignal,
  secondsMax: number,
): Promise<Uint8Array | Refusal> {
  const tooLarge = refuse("BODY_TOO_LARGE", BODY_BYTES_MAX);
  if (Number(request.headers.get("content-length")) > BODY_BYTES_MAX) return tooLarge;
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const { promise: late, resolve } = Promise.withResolvers<Refusal>();
  const stop = () => resolve(refuse("BUSY"));
  stopping.addEventListener("abort", stop);
  const timer = setTimeout(() => resolve(refuse("BODY_TOO_SLOW", secondsMax)), secondsMax * 1000);
  // A body that ends early is the sender's fault, whatever the runtime's error says.
  const readOn = () => reader.read().catch(() => refuse("BODY_NOT_JSON", "it broke off before its end"));
  const body = new Uint8Array(BODY_BYTES_MAX);
  let length = 0;
  try {
    for (let reads = 1;; reads++) {
      // A read of what is there already does not let others in, and a body may come in chunks of one byte.
      if (reads % READS_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
      const read = await Promise.race([readOn(), late]);
      if ("refusal" in read) return read;
      if (read.done) return body.subarray(0, length);
      if (length + read.value.length > BODY_BYTES_MAX) return tooLarge;
      body.set(read.value, length);
      length += read.value.length;
    }
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener("abort", stop);
    // Discards the rest of an unfinished body; no effect on a complete one.
    reader.cancel().catch(() => {});
  }
}
