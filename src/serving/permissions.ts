/**
 * What of its permissions the program gives up, once it knows that it does not need them: what talks with servers that
 * somebody else runs has no business with files.
 *
 * @module
 */

const BESIDE_NET = ["read", "write", "run", "env", "sys", "ffi"] as const;

/** Keeps the network, and gives up everything else for good. What is to be loaded or read has to be by then. */
export async function keepOnlyTheNetwork(): Promise<void> {
  for (const name of BESIDE_NET) await Deno.permissions.revoke({ name });
}
