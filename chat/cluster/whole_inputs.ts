/**
 * Which inputs of another node have all that their decision needs, and fit a record. A node of another version, or
 * another program with its rights, may send anything: what is not whole is answered INTERNAL, before it is queued or
 * gets into a record that every node would have to read. Pure.
 *
 * @module
 */
import { fault } from "../../src/protocol/faults.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import type { InputMessage, NumberedInput } from "./inputs.ts";
import { isCount, isFields, isText } from "./wire.ts";

type Check = (value: unknown) => boolean;

/** UTF-16 units of a text that is no message, such as a listing's URL. */
const SHORT_UNITS_MAX = 4096;
const { max: MESSAGE_LENGTH_MAX } = LIMITS.maxMessageLength;

const isShort: Check = (value) => isText(value) && value.length <= SHORT_UNITS_MAX;
/** As long as some node lets it be: a record takes ten of them. */
const isMessage: Check = (value) =>
  isText(value) && (value.length <= MESSAGE_LENGTH_MAX ||
    value.length <= 2 * MESSAGE_LENGTH_MAX && Array.from(value).length <= MESSAGE_LENGTH_MAX);
const isFlag: Check = (value) => typeof value === "boolean";
const isName: Check = (value) => isFields(value) && isShort(value.shown) && isShort(value.folded);
const optional = (check: Check): Check => (value) => value === undefined || check(value);

function has(checks: { readonly [field: string]: Check }): Check {
  const entries = Object.entries(checks);
  return (value) => isFields(value) && entries.every(([field, check]) => check(value[field]));
}

/** What crosses the network, by its type. A node answers the rest itself. */
const CHECKS = new Map<unknown, Check>(Object.entries({
  CONNECT: has({ username: isName }),
  RESUME: has({ token: isShort, position: isCount }),
  MSG: has({ timestamp: isShort, text: isMessage }),
  SEND: has({ nonce: isShort, timestamp: isShort, text: isMessage }),
  UPDATE: has({ username: isName }),
  QUERY: (input) =>
    has({ uuid: isShort })(input) &&
    (has({ query: (query) => query === "delete_message" })(input) ||
      has({ query: (query) => query === "update_message", text: isMessage })(input)),
  DISCONNECT: isFields,
  LOST: isFields,
  ANNOUNCE: has({ text: isMessage }),
  ORDER_BAN: has({
    ...{ id: isShort, name: optional(isName), address: optional(isShort), message: isShort },
    ...{ seconds: optional(isCount), withAddress: isFlag },
  }),
  ORDER_LIFT: has({ which: (which) => has({ id: isShort })(which) || has({ name: isName })(which) }),
  ORDER_KICK: has({ name: isName }),
  ORDER_KEEP: has({ key: isShort, value: isShort }),
}));

const isOpening = has({
  id: isShort,
  isExtended: isFlag,
  remoteAddress: isShort,
  tokenHash: optional(isShort),
});

function isWhole({ input, opening, newestToken }: NumberedInput): boolean {
  const { type, text }: { readonly type: string; readonly text?: unknown } = input;
  const opens = type === "CONNECT" || type === "RESUME";
  return CHECKS.get(type)?.(input) === true && (opens ? isOpening : optional(isFields))(opening) &&
    optional(isShort)(newestToken) &&
    // Whatever it is, the queue counts the text that it has.
    optional(isMessage)(text);
}

/** The message with what is not whole as a fault, which is answered and counted as any input. */
export function wholeInputs(message: InputMessage): InputMessage {
  if (message.inputs.every(isWhole)) return message;
  const inputs = message.inputs.map((numbered): NumberedInput =>
    isWhole(numbered)
      ? numbered
      : { session: numbered.session, input: { type: "FAULT", fault: fault("INTERNAL") }, opening: undefined }
  );
  return { ...message, inputs };
}
