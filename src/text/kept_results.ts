/**
 * Keeps what a function returned for a text: names, addresses and times are few, and the requests and rows that ask for
 * them are many.
 *
 * @module
 */

/**
 * Returns a function that calls `make` once for a text, until `max` other texts were asked for. It does not keep
 * undefined, which is the answer to any text that a peer makes up.
 */
export function kept<Result>(max: number, make: (text: string) => Result): (text: string) => Result {
  const results = new Map<string, Result>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = make(text);
    if (result === undefined) return result;
    if (results.size >= max) results.clear();
    results.set(text, result);
    return result;
  };
}
