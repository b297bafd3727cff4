/**
 * A chat server that runs as one end of an export or an import, by its admin API, PROTOCOL.md §11.4.
 *
 * @module
 */
import { z } from "zod";
import type { Taken, Transfer, TransferHeader, TransferPage } from "../src/kv/transfer.ts";
import type { AdminClient } from "./admin_client.ts";
import { isProblem, type Problem } from "./problem.ts";

const headerSchema = z.object({
  chatter: z.literal("export"),
  version: z.number(),
  role: z.literal("chat"),
  layout: z.number(),
  serverId: z.number(),
  batchBytesMax: z.number(),
});
const pageSchema = z.object({
  rows: z.array(z.looseObject({ kind: z.string() })),
  next: z.string().nullable(),
});
const takenSchema = z.object({ taken: z.number(), skipped: z.number() });

/** The server could not be asked, or refused: one line that says why. */
export class TransferFailed extends Error {
  override name = "TransferFailed";
}

export class TransferClient implements Transfer {
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

  async take(rows: readonly unknown[]): Promise<Taken> {
    const came = await this.#client.ask("POST", "import", takenSchema, { rows });
    if (!isProblem(came)) return came;
    if (came.refusal === "ROWS_TOO_WIDE") return { isTooWide: true };
    const [, row, problem] = came.refusal === "ROW_REFUSED"
      ? /because of row ([0-9]+) \((.*)\)$/.exec(came.problem) ?? []
      : [];
    if (row !== undefined && problem !== undefined) return { problem, row: Number(row) };
    throw new TransferFailed(came.problem);
  }
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new TransferFailed(answer.problem);
  return answer;
}
