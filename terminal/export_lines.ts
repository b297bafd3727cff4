/**
 * `chatter export`: writes the rows of a server as JSON lines, one page at a time, so that memory does not grow with
 * the export. It does not open the file.
 *
 * @module
 */
import type { ExportSource } from "../src/kv/transfer.ts";

/** Writes all rows. Returns how many there are of each kind. */
export async function exportLines(
  source: ExportSource,
  withKeys: boolean,
  write: (lines: string) => Promise<void>,
): Promise<Map<string, number>> {
  const kinds = new Map<string, number>();
  await write(JSON.stringify(await source.describe()) + "\n");
  let cursor: string | undefined;
  let rows = 0;
  do {
    const page = await source.page(cursor, withKeys);
    for (const { kind } of page.rows) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    rows += page.rows.length;
    if (page.rows.length > 0) await write(page.rows.map((row) => JSON.stringify(row) + "\n").join(""));
    cursor = page.next;
  } while (cursor !== undefined);
  await write(JSON.stringify({ kind: "end", rows }) + "\n");
  return kinds;
}

export function summary(kinds: ReadonlyMap<string, number>): string {
  const named = [...kinds].map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  return named.length === 0 ? "nothing" : named.join(", ").replaceAll("_", " ");
}
