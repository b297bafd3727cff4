/**
 * Drops permissions that a running program no longer needs. A client that talks to other people's servers must not
 * keep access to files.
 *
 * @module
 */

const BESIDE_NET = ["read", "write", "run", "env", "sys", "ffi"] as const;

/** Keeps the network permission and revokes all others. Load and read everything else before the call. */
export async function keepOnlyTheNetwork(): Promise<void> {
  for (const name of BESIDE_NET) await Deno.permissions.revoke({ name });
}
