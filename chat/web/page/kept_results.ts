/**
 * Keeps what a function returned for a key, for what every row asks again: names of authors are few, rows are many.
 *
 * @module
 */

/** Results that are kept: more than people in the list. */
const KEPT_MAX = 4000;

/** Returns a function that calls `make` once for a key, until many other keys were asked for. */
export function kept<Result>(make: (key: string) => Result): (key: string) => Result {
  const results = new Map<string, Result>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = make(key);
    if (results.size >= KEPT_MAX) results.clear();
    results.set(key, result);
    return result;
  };
}
