/**
 * What a listing lists, asked over HTTP once or until it is as a test wants it.
 *
 * @module
 */

/** A server of `GET /servers`, as far as tests look at it. */
export interface ListedServer {
  id: number;
  displayName: string;
  address: string;
  connectedUsers: number;
  maxUsers: number;
}

/** `client` is for a listing that is reached in another way than by its URL alone. */
export async function listedServers(listing: string, client?: Deno.HttpClient): Promise<ListedServer[]> {
  const response = await fetch(`${listing}/servers`, client === undefined ? {} : { client });
  return (await response.json() as { servers: ListedServer[] }).servers;
}

/** Asks the listing until `isThere` likes the answer; fails after `seconds`, which no passing run waits out. */
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
