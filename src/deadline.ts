/**
 * A time limit for waiting on work that cannot be cancelled. The work itself continues.
 *
 * @module
 */

/** True if `work` settles within `ms`; throws what `work` rejects with. */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
