/**
 * How long a test waits for what has to happen. A passing test never waits that long, however busy its machine is.
 *
 * @module
 */
export const PATIENCE_MS = 60_000;
