/**
 * The thread of a scrub: rewrites the SQLite file of a Deno KV that this process has open. It judges no rows.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { folderOf } from "./own_files.ts";
import type { Scrubbed } from "./scrub.ts";

/** Milliseconds to wait for a commit of the store to end. */
const BUSY_MS = 5000;
/** Tries to empty the write-ahead log, 20 ms apart: Deno KV may be about to do the same. */
const TRIES_MAX = 250;
/** Bytes of one zeroed value: SQLite allows 10^9. */
const ZEROS_MAX = 500_000_000;

/** Rewrites the file at `path` without the bytes of removed rows, and empties its write-ahead log. Never throws. */
export function scrub(path: string): Scrubbed {
  try {
    try {
      withDatabase(path, rewrite);
    } finally {
      // Also after a failure, as on a full disk: what was written so far would stay as the size of the log.
      withDatabase(path, emptyLog);
    }
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Its end rolls back what was not committed. */
function withDatabase(path: string, use: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(path);
  try {
    // Temporary files in the folder of the store, which is writable: another may be on a disk that keeps the bytes.
    const folder = folderOf(path) ?? ".";
    database.exec(`
      PRAGMA busy_timeout = ${BUSY_MS};
      PRAGMA secure_delete = ON;
      PRAGMA temp_store_directory = '${folder.replaceAll("'", "''")}';
    `);
    use(database);
  } finally {
    database.close();
  }
}

/**
 * With secure_delete a page that is freed is zeroed, gaps included. So all rows go and come back, in one transaction,
 * and then the pages that were free before are allocated and freed. VACUUM would do, but it needs ATTACH, which Deno
 * allows only with all permissions.
 */
function rewrite(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    CREATE TEMP TABLE kept AS SELECT * FROM kv;
    DELETE FROM kv;
    INSERT INTO kv SELECT * FROM kept;
    CREATE TABLE zeros (bytes BLOB);
  `);
  const insert = database.prepare("INSERT INTO zeros VALUES (zeroblob(?))");
  for (let left = numberOf(database, "freelist_count") * numberOf(database, "page_size"); left > 0;) {
    insert.run(Math.min(left, ZEROS_MAX));
    left -= ZEROS_MAX;
  }
  database.exec("DROP TABLE zeros; COMMIT");
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

function emptyLog(database: DatabaseSync): void {
  const checkpoint = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (checkpoint.get()?.["busy"] === 0) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  throw new Error("the write-ahead log is in use");
}
