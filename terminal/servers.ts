/**
 * `chatter servers`: the servers of a listing as a table or as JSON, docs/listing_api.md §9.7, with round trips from
 * here on request. It prints only the progress of the pings.
 *
 * @module
 */
import { z } from "zod";
import { parseServerUrl } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import type { LineOf } from "../src/cli/command_line.ts";
import { type CommandOutcome, isProblem, type Problem, reasonOf } from "./problem.ts";
import { pingServers } from "./server_ping.ts";
import { peerCell, printable, tableOfPeer } from "./screen/table.ts";
import { duration } from "./screen/time_text.ts";

const REQUEST_SECONDS_MAX = 10;
/** Bytes of the listing's answer: some 600 for each of at most 100,000 servers. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const OBJECTION_LENGTH_MAX = 400;

// The first three are the seed's; other fields are shown if present.
const serverSchema = z.looseObject({
  id: z.number(),
  displayName: z.string(),
  address: z.string(),
  connectedUsers: z.number().optional(),
  maxUsers: z.number().optional(),
  onlineSince: z.number().optional(),
  roundTripMs: z.number().optional(),
  uptime: z.number().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  language: z.string().optional(),
  peakUsers: z.number().optional(),
});
const answerSchema = z.object({ servers: z.array(serverSchema) });
type Server = z.infer<typeof serverSchema>;

/** Asks the listing, and pings on request. `progress` receives texts during the pings, and "" at their end. */
export async function listServers(
  { values }: LineOf<"servers">,
  progress: (text: string) => void,
): Promise<CommandOutcome> {
  const answer = await askListing(values.listing);
  if (isProblem(answer)) return answer;
  const { servers } = answer;
  const trips = values.ping ? await tripsFromHere(servers, progress) : undefined;
  if (values.json) {
    const shown = servers.map((server, i) => trips === undefined ? server : { ...server, pingMs: trips[i] });
    return { output: JSON.stringify({ servers: shown }) + "\n" };
  }
  if (servers.length === 0) {
    return { output: `No servers are listed at ${values.listing}. chatter chat --listing URL lists one.\n` };
  }
  return { output: serversTable(servers, trips) };
}

function serversTable(servers: readonly Server[], trips: readonly (number | null)[] | undefined): string {
  const nowMs = wallClock();
  // The listing of another program may not know it.
  const hasPeaks = servers.some(({ peakUsers }) => peakUsers !== undefined);
  const peak = (cell: string) => hasPeaks ? [cell] : [];
  const [titles, ...rows] = tableOfPeer(
    ["NAME", "USERS", ...peak("PEAK"), "ROUND TRIP", "UPTIME", "ONLINE", "ADDRESS"],
    servers.map((server, i) => [
      server.displayName,
      `${server.connectedUsers ?? "?"}/${server.maxUsers ?? "?"}`,
      ...peak(String(server.peakUsers ?? "?")),
      roundTrip(trips === undefined ? server.roundTripMs : trips[i]),
      server.uptime === undefined ? "?" : `${Math.floor(server.uptime * 1000) / 10}%`,
      server.onlineSince === undefined
        ? "?"
        : duration(Math.max(0, Math.floor((nowMs - server.onlineSince) / 1000))),
      server.address,
    ]),
  ).split("\n");
  return [titles, ...servers.flatMap((server, i) => [rows[i], ...selfDescription(server)]), ""].join("\n");
}

/** A line below a server's row, if the server says what it is. */
function selfDescription({ description = "", tags = [], language = "" }: Server): string[] {
  const said = [language === "" ? "" : `[${language}]`, description, tags.map((tag) => `#${tag}`).join(" ")];
  const parts = said.filter((part) => part !== "");
  return parts.length === 0 ? [] : [`  ${parts.map(peerCell).join(" ")}`];
}

function roundTrip(ms: number | null | undefined): string {
  if (ms === undefined) return "?";
  return ms === null ? "no answer" : `${ms} ms`;
}

/** The round trip to each server in milliseconds; null without an answer. */
async function tripsFromHere(
  servers: readonly Server[],
  progress: (text: string) => void,
): Promise<(number | null)[]> {
  const targets = servers.map(({ id, address }) => ({ id, url: parseServerUrl(address) }));
  const show = (done: number) => progress(`pinged ${done} of ${servers.length}`);
  show(0);
  const trips = await pingServers(targets, steadyClock, show);
  progress("");
  return trips.map((trip) => trip ?? null);
}

async function askListing(listing: string): Promise<{ readonly servers: Server[] } | Problem> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${REQUEST_SECONDS_MAX} s`)),
    REQUEST_SECONDS_MAX * 1000,
  );
  try {
    const response = await fetch(`${listing}/servers?sort=users`, { signal: abort.signal });
    const text = await textWithin(response, ANSWER_BYTES_MAX);
    if (text === undefined) return { problem: `${listing} answered more than ${ANSWER_BYTES_MAX} bytes` };
    if (!response.ok) {
      const objection = printable(text.trim().slice(0, OBJECTION_LENGTH_MAX));
      return { problem: `${listing} answered ${response.status}: ${objection}` };
    }
    const read = answerSchema.safeParse(parsed(text));
    return read.success ? read.data : { problem: `${listing} is not a listing, or has another version` };
  } catch (error) {
    return { problem: `Cannot reach ${listing}: ${reasonOf(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

/** The body as text; undefined if it exceeds `bytesMax`, after which no more is read. */
async function textWithin({ body }: Response, bytesMax: number): Promise<string | undefined> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop cancels the body.
    if (bytes > bytesMax) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
