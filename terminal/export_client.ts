/**
 * A running chat server as the source of an export, over its admin API, docs/admin_api.md §11.4. It does not write
 * the file.
 *
 * @module
 */
import { z } from "zod";
import type { ExportSource, TransferHeader, TransferPage } from "../src/kv/transfer.ts";
import type { AdminClient } from "./admin_client.ts";
import { isProblem, type Problem } from "./problem.ts";

const headerSchema = z.object({
  chatter: z.literal("export"),
  version: z.number(),
  role: z.literal("chat"),
  layout: z.number(),
  serverId: z.number(),
});
const pageSchema = z.object({
  rows: z.array(z.looseObject({ kind: z.string() })),
  next: z.string().nullable(),
});

/** The server is unreachable or refused; the message is one line that says why. */
export class ExportFailed extends Error {
  override name = "ExportFailed";
}

export class ExportClient implements ExportSource {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async describe(): Promise<TransferHeader> {
    return orThrow(await this.#client.ask("GET", "store", headerSchema));
  }

  async page(cursor: string | undefined, withKeys: boolean): Promise<TransferPage> {
    const query = new URLSearchParams({
      ...(cursor !== undefined && { cursor }),
      ...(withKeys && { keys: "1" }),
    });
    const { rows, next } = orThrow(await this.#client.ask("GET", `export?${query}`, pageSchema));
    return { rows, next: next ?? undefined };
  }
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new ExportFailed(answer.problem);
  return answer;
}
