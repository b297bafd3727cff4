/**
 * Types for the files of @std that the import map takes from npm, which have none. Only what Chatter uses is
 * declared. Anyone who maps `@std/*` to JSR drops this file and the `types` entry of deno.json.
 */
declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertFalse(condition: unknown, message?: string): asserts condition is false;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
  export function assertGreater<T>(actual: T, expected: T, message?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
  export function assertLess<T>(actual: T, expected: T, message?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    message?: string,
  ): void;
  export function assertObjectMatch(actual: object, expected: object, message?: string): void;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    type?: new (...args: never[]) => E,
    includes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    type?: new (...args: never[]) => E,
    includes?: string,
  ): Promise<E>;
  export function fail(message?: string): never;
  export function unreachable(message?: string): never;
}

declare module "@std/cli/parse-args" {
  /** Flags in both `string` and `collect` give lists of strings; with "_" in `string`, `_` holds strings. */
  export function parseArgs(
    args: readonly string[],
    options: {
      string?: readonly string[];
      collect?: readonly string[];
      boolean?: readonly string[];
      alias?: Readonly<Record<string, string | readonly string[]>>;
      /** False drops the argument; `key` is undefined if it is no flag. */
      unknown?: (arg: string, key?: string) => boolean;
    },
  ): { _: string[]; [name: string]: unknown };
}

declare module "@std/cli/prompt-secret" {
  /** Null if stdin is no terminal. The prompt goes to stdout. */
  export function promptSecret(message?: string, options?: { mask?: string }): string | null;
}

declare module "@std/http/etag" {
  export function eTag(entity: string | Uint8Array, options?: { weak?: boolean }): Promise<string>;
  export function ifNoneMatch(value: string | null, etag: string | undefined): boolean;
}

declare module "@std/http/negotiation" {
  export function accepts(request: Request, ...types: string[]): string | undefined;
  export function acceptsEncodings(request: Request, ...encodings: string[]): string | undefined;
}

declare module "@std/http/status" {
  export const STATUS_CODE: {
    readonly SwitchingProtocols: 101;
    readonly OK: 200;
    readonly Created: 201;
    readonly NoContent: 204;
    readonly NotModified: 304;
    readonly BadRequest: 400;
    readonly Unauthorized: 401;
    readonly Forbidden: 403;
    readonly NotFound: 404;
    readonly Conflict: 409;
    readonly ContentTooLarge: 413;
    readonly UpgradeRequired: 426;
    readonly TooManyRequests: 429;
    readonly RequestHeaderFieldsTooLarge: 431;
    readonly InternalServerError: 500;
    readonly ServiceUnavailable: 503;
  };
  export const STATUS_TEXT: Record<number, string>;
}

declare module "@std/uuid/common" {
  export function validate(uuid: string): boolean;
}

declare module "@std/uuid/v7" {
  export function validate(id: string): boolean;
  export function generate(timestamp?: number): string;
  export function extractTimestamp(uuid: string): number;
}

declare module "@std/text/closest-string" {
  /** Throws if `possibleWords` is empty. */
  export function closestString(givenWord: string, possibleWords: readonly string[]): string;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}

declare module "@std/yaml/parse" {
  export function parse(content: string): unknown;
}
