/**
 * The fixtures of the listing page's tests: a listing, servers that answer its pings, and reading the rows.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import type { RunningListing } from "../../listing/mod.ts";
import { type FakeChatServer, startChatServer } from "../listing/probe/fake_chat_server.ts";

interface Listed {
  readonly id: number;
  readonly serverName?: string;
  readonly connectedUsers?: number;
  readonly maxUsers?: number;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly language?: string;
}

/** Registers servers that answer pings until the test ends. */
export class Pingable implements AsyncDisposable {
  readonly #servers: FakeChatServer[] = [];
  readonly #keys = new Map<number, string>();

  async list(listing: RunningListing, { id, ...body }: Listed): Promise<void> {
    const server = startChatServer({ id });
    this.#servers.push(server);
    const response = await fetch(`${listing.url}/servers/${id}`, {
      method: "POST",
      body: JSON.stringify({ address: `:${server.port}`, ...body }),
    });
    const text = await response.text();
    assertEquals(response.status, 201, text);
    this.#keys.set(id, text);
  }

  async send(listing: RunningListing, method: "PUT" | "DELETE", id: number, body?: unknown): Promise<void> {
    const response = await fetch(`${listing.url}/servers/${id}`, {
      method,
      headers: { Authorization: `C2Listing ${this.#keys.get(id)}` },
      body: body === undefined ? null : JSON.stringify(body),
    });
    assertEquals([response.status, await response.text()], [200, ""]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }
}

export async function openLive(page: Page, url: string): Promise<Page> {
  await page.goto(url);
  await page.waitForSelector('#state[data-state="live"]');
  return page;
}

/** Name and fill of each row. */
export function rowsOf(page: Page): Promise<string[]> {
  return page.$$eval(
    "#rows tr",
    (rows) =>
      rows.map((row) =>
        `${row.querySelector(".displayname")?.textContent}: ${row.querySelector(".fill")?.textContent}`
      ),
  );
}

export async function seeRows(page: Page, expected: string[]): Promise<void> {
  await page.waitForFunction(
    (expected) => {
      const rows = [...document.querySelectorAll("#rows tr")].map((row) =>
        `${row.querySelector(".displayname")?.textContent}: ${row.querySelector(".fill")?.textContent}`
      );
      return JSON.stringify(rows) === expected;
    },
    {},
    JSON.stringify(expected),
  ).catch(async (error) => {
    assertEquals(await rowsOf(page), expected, String(error));
  });
}
