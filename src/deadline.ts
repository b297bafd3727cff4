/**
 * A limit of time on work that nobody can be made to end.
 *
 * The work itself goes on: only the wait for it is over.
 *
 * @module
 */

/** Waits for `work`, and tells whether it settled within `ms`; throws what `work` rejects with. */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
