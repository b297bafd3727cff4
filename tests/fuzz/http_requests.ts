/**
 * Fuzzes the HTTP side of a role with complete requests of any method, path, headers and body: each is answered, and
 * none by a failure of the server. Addresses in bodies are of loopback only: a listing pings them.
 *
 * @module
 */
import fc from "fast-check";
import { hostileText } from "../support/hostile_inputs.ts";
import { codePoint } from "../support/code_point.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";
import { PATIENCE_MS } from "../support/patience.ts";

const METHODS = [
  "GET",
  "GET",
  "GET",
  "HEAD",
  "POST",
  "POST",
  "POST",
  "PUT",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
];
const PATHS = [
  "/",
  "/servers",
  "/servers/",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/admin",
  "/admin/users",
  ...[0, 1, 2, 3, 42, 9007199254740991, 9007199254740992, "01", "-1", "x", "%00", "%zz", "1/2"].map((id) =>
    `/servers/${id}`
  ),
];
/** Of the server that answers pings: others are refused registration. */
export const CHAT_ID = 3;
const SORTS = ["id", "users", "name", "age", "", "ID", "__proto__"];

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: [string, string][];
  readonly body: string | undefined;
}

const headerText = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/);
const query = fc.array(
  fc.tuple(
    fc.constantFrom("sort", "q", "full", "empty", "limit", "cursor", "constructor"),
    fc.oneof(
      fc.constantFrom(...SORTS, "true", "false", "1", "0", "10000", "10001"),
      fc.string({ maxLength: 30 }),
    ),
  ),
  { maxLength: 3 },
).map((pairs) =>
  pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([k, v]) => [k, v.toWellFormed()]))}`
);

/** `port` is of a server that answers pings. */
function requests(port: number): fc.Arbitrary<HttpRequest> {
  const address = fc.constantFrom(
    ...Array(4).fill(`127.0.0.1:${port}`),
    ...Array(4).fill(`:${port}`),
    "127.0.0.1:1",
    "[::1]:1",
    `wss://127.0.0.1:${port}`,
    "",
    ":",
    ":0",
    ":99999",
    "[::1",
    "127.0.0.1:x",
  );
  const announcement = fc.record({
    serverName: fc.oneof(fc.string({ maxLength: 80, unit: "grapheme" }), fc.string({ unit: codePoint })),
    address,
    connectedUsers: fc.oneof(fc.nat(2_000_000), fc.double(), fc.constant(null)),
    maxUsers: fc.oneof(fc.nat(2_000_000), fc.string()),
  }, { requiredKeys: ["address"] });
  const sound = fc.record({ address, connectedUsers: fc.nat(100) });
  const body = fc.oneof(
    { weight: 4, arbitrary: sound.map((value) => JSON.stringify(value)) },
    announcement.map((value) => JSON.stringify(value)),
    // Never the JSON of an object, so that it has no address but those chosen here.
    fc.string({ unit: codePoint, maxLength: 200 }).map((text) => `[${text.toWellFormed()}`),
    fc.json().map((json) => `[${json}]`),
    fc.constantFrom("", "null", "[]", "0", '"x"', "{", "x".repeat(8193), `"${"x".repeat(100_000)}"`),
  );
  return fc.record({
    method: fc.constantFrom(...METHODS),
    path: fc.tuple(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...PATHS) },
        { weight: 3, arbitrary: fc.constant(`/servers/${CHAT_ID}`) },
        // Not fc.webPath(), which takes seconds to begin with.
        {
          weight: 1,
          arbitrary: fc.array(fc.webSegment(), { maxLength: 4 }).map((all) => `/${all.join("/")}`),
        },
      ),
      query,
    ).map((parts) => parts.join("")),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom(
          "accept",
          "accept-encoding",
          "authorization",
          "content-type",
          "if-none-match",
          "origin",
          "x-forwarded-for",
          "range",
          "x-anything",
        ),
        fc.oneof(
          headerText,
          hostileText(8000).map((text) => text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, "\xa0")),
          fc.constantFrom("*/*;q=0", "gzip;q=9", "C2Listing x", 'W/"a", *', "10.0.0.1, ::1"),
        ),
      ),
      { maxLength: 4 },
    ),
    body: fc.option(body, { nil: undefined }),
  });
}

export interface HttpFuzzOptions {
  readonly url: string;
  readonly requests: number;
  readonly atOnce: number;
  /** Of a server that answers pings. */
  readonly chatPort: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly onSettled: () => void;
}

/** Resolves when every request is answered, or given up. */
export async function fuzzHttp(options: HttpFuzzOptions): Promise<void> {
  const made = options.random.values(requests(options.chatPort));
  let left = options.requests;
  const keys: string[] = [];
  await Promise.all(Array.from({ length: options.atOnce }, async () => {
    while (left-- > 0) {
      await ask(made.next().value, keys, options);
      options.onSettled();
    }
  }));
}

async function ask(
  { method, path, headers, body }: HttpRequest,
  keys: string[],
  { url, random, tally }: HttpFuzzOptions,
): Promise<void> {
  const shown = `${method} ${path} ${JSON.stringify(headers)} ${body}`;
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  // Now and then the valid key, so that some changes succeed.
  if (keys.length > 0 && random.below(2) === 0) all.set("authorization", `C2Listing ${random.pick(keys)}`);
  const sendsBody = body !== undefined && method !== "GET" && method !== "HEAD";
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url + path, {
      method,
      headers: all,
      ...(sendsBody ? { body } : {}),
      redirect: "manual",
      signal: abort.signal,
    });
    const text = await answer.text();
    tally.count(`http ${answer.status}`);
    if (answer.status === 201) keys.splice(0, keys.length >= 8 ? 1 : 0, text);
    // 503 by a limit of docs/listing_api.md §9.9; all other 5xx are failures of the server.
    const isBusy = answer.status === 503 && text.startsWith("The listing is busy");
    if (answer.status >= 500 && !isBusy) {
      tally.problem(`answered ${answer.status} ${text.slice(0, 100)}`, shown);
    }
  } catch (error) {
    // What went wrong is the cause of "fetch failed".
    const { cause = error } = error as Error;
    tally.problem(abort.signal.aborted ? "no answer came" : `no answer: ${cause}`, shown);
  } finally {
    clearTimeout(timer);
  }
}
