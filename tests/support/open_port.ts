/**
 * Whether a program listens, for tests and measurements that start or end one.
 *
 * @module
 */

/** Whether a port of 127.0.0.1 takes a connection, which is closed at once. */
export async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
