/**
 * Keeps what a function returned for a text, for what is asked again and again: names, addresses and times are few,
 * requests and rows are many.
 *
 * @module
 */

/**
 * Returns a function that calls `make` once for a text, until `max` other texts were asked for. It calls `make` again
 * where that returned undefined, as for a text of a peer that is no such thing.
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
