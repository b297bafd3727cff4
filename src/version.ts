/**
 * The version, from the one place where it is written down: deno.json, which is in the binary too.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const VERSION: string = config.version;
