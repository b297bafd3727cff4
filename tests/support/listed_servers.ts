/**
 * The servers on a listing, read over HTTP once or until a condition holds.
 *
 * @module
 */

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

/** Asks the listing until `isThere` accepts the answer; fails after `seconds`, which a passing test never waits. */
export async function untilListed(
  listing: string,
  seconds: number,
  isThere: (entries: ListedServer[]) => boolean,
): Promise<ListedServer[]> {
  const deadline = performance.now() + seconds * 1000;
  while (true) {
    const entries = await listedServers(listing);
    if (isThere(entries)) return entries;
    if (performance.now() > deadline) {
      throw new Error(`Not within ${seconds} s; it lists ${JSON.stringify(entries)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
