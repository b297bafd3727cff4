/**
 * Bodies that POST and PUT must refuse, with what the answer must name.
 *
 * @module
 */
import type { Asked } from "../listing_under_test.ts";

export const BAD_BODIES: [what: string, body: Asked, says: string][] = [
  ["malformed JSON", { raw: "{" }, "not JSON"],
  ["bytes that are not UTF-8", { raw: new Uint8Array([0x22, 0xff, 0x22]) }, "UTF-8"],
  ["null", { body: null }, "object"],
  ["an array", { body: [] }, "object"],
  ["a text", { body: "x" }, "object"],
  ["an unknown property", { body: { port: 1 } }, "port"],
  ["__proto__", { raw: '{"__proto__":{}}' }, "__proto__"],
  ["a number as name", { body: { serverName: 1 } }, "serverName"],
  ["null as name", { body: { serverName: null } }, "serverName"],
  ["an empty name", { body: { serverName: "" } }, "serverName"],
  ["a name of blanks", { body: { serverName: " \t " } }, "serverName"],
  ["a name of 65 code points", { body: { serverName: "🎉".repeat(65) } }, "serverName"],
  ["a control character in a name", { body: { serverName: "a\nb" } }, "serverName"],
  ["a bidi character in a name", { body: { serverName: "a\u202eb" } }, "serverName"],
  ["a number as description", { body: { description: 1 } }, "description"],
  ["a description of 201 code points", { body: { description: "🎉".repeat(201) } }, "description: 1 to 200"],
  ["a description of two lines", { body: { description: "a\nb" } }, "on one line"],
  ["a bidi character in a description", { body: { description: "a\u202eb" } }, "no control, bidi"],
  ["a description of blanks", { body: { description: " " } }, "description"],
  ["a text as tags", { body: { tags: "games" } }, "tags"],
  ["six tags", { body: { tags: [..."abcdef"] } }, "tags: at most 5"],
  ["a tag in upper case", { body: { tags: ["Games"] } }, "1 to 20 of a-z"],
  ["a tag of 21 characters", { body: { tags: ["a".repeat(21)] } }, "1 to 20 of a-z"],
  ["a tag twice", { body: { tags: ["a", "a"] } }, "different tags"],
  ["a number as tag", { body: { tags: [1] } }, "tags"],
  ["a name of a language", { body: { language: "Brazilian Portuguese" } }, "BCP 47"],
  ["a language of 36 characters", { body: { language: "en-x-" + "a-".repeat(15) + "b" } }, "at most 35"],
  ["a text as number", { body: { connectedUsers: "1" } }, "connectedUsers"],
  ["a fraction", { body: { connectedUsers: 1.5 } }, "connectedUsers"],
  ["a negative number", { body: { connectedUsers: -1 } }, "connectedUsers"],
  ["more than 1,000,000 users", { body: { connectedUsers: 1_000_001 } }, "connectedUsers"],
  ["more than 1,000,000 at most", { body: { maxUsers: 1_000_001 } }, "maxUsers"],
  ["an infinite number", { raw: '{"maxUsers":1e999}' }, "maxUsers"],
  ["a number as address", { body: { address: 5000 } }, "address"],
  ["an address with a path", { body: { address: "host:5000/x" } }, "path"],
  ["an address with credentials", { body: { address: "a:b@host" } }, "credentials"],
  ["a shorthand IPv4 address", { body: { address: "127.1:5000" } }, "host"],
];
