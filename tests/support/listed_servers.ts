/**
 * The servers on a listing, read over HTTP once or until a condition holds.
 *
 * @module
 */
import { until } from "./until.ts";

/** A server of `GET /servers`, with the fields that tests check. */
export interface ListedServer {
  id: number;
  displayName: string;
  address: string;
  connectedUsers: number;
  maxUsers: number;
}

/** `client` is for a listing that its URL alone does not reach. */
export async function listedServers(listing: string, client?: Deno.HttpClient): Promise<ListedServer[]> {
  const response = await fetch(`${listing}/servers`, client === undefined ? {} : { client });
  return (await response.json() as { servers: ListedServer[] }).servers;
}

/** Asks the listing until `isThere` accepts the answer. */
export async function untilListed(
  listing: string,
  isThere: (entries: ListedServer[]) => boolean,
): Promise<ListedServer[]> {
  let entries: ListedServer[] = [];
  await until("a listing has these servers", async () => {
    entries = await listedServers(listing);
    return isThere(entries);
  }).catch((error) => {
    throw new Error(`It lists ${JSON.stringify(entries)}`, { cause: error });
  });
  return entries;
}
