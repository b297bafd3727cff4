/**
 * Finds web addresses in a text. Pure; chat/web/log/rich_text.ts makes links of them, and the terminal leaves that to
 * the terminal's own program.
 *
 * @module
 */

// A host and what follows it. Letters of all scripts belong to an address; what ends text in any script ends it too:
// punctuation and quotes beyond ASCII, symbols, white space, invisible and bidirectional characters. The middle dots of
// Catalan and Japanese, the marks of Hebrew and the tsheg of Tibetan are parts of words.
const HOST = String.raw`(?:l(?:·l)+|[\p{L}\p{M}\p{N}\-._~%:@\[\]])+`;
const REST = String.raw`[/?#][!#-;=?-_a-z{|}~\p{L}\p{M}\p{N}\p{Pd}\p{Pc}·・׳״་]*`;
const ADDRESS = new RegExp(`https?://${HOST}(?:${REST})?`, "giu");
const CLOSING = ".,;:!?'*·・׳״་";
const BRACKETS = new Map([[")", "("], ["]", "["], ["}", "{"]]);
/** What formats a text around an address, as in `_https://example.org/_`. */
const MARKS = "_~";

/** Splits a text into plain parts and addresses, which joined are the text again. */
export function linkParts(text: string): { text: string; href: string | undefined }[] {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutMarks(withoutClosing(match[0]), text, match.index);
    const href = hrefOf(address);
    if (href === undefined) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: undefined });
    found.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: undefined });
  return found;
}

/** Marks at the end that are also right before the address do not belong to it. */
function withoutMarks(address: string, text: string, index: number): string {
  let length = 0;
  for (; length < index; length++) {
    const mark = text[index - 1 - length]!;
    if (!MARKS.includes(mark) || address.at(-1 - length) !== mark) break;
  }
  return address.slice(0, address.length - length);
}

/** Punctuation after an address and an unmatched bracket do not belong to it. */
function withoutClosing(address: string): string {
  // Counted once, not again for each character that is cut: an address may end in thousands of brackets.
  const unmatched = new Map<string, number>();
  for (const [close, open] of BRACKETS) unmatched.set(close, count(address, close) - count(address, open));
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1]!;
    const left = unmatched.get(last) ?? 0;
    if (left > 0) unmatched.set(last, left - 1);
    else if (!CLOSING.includes(last)) break;
  }
  return address.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function hrefOf(address: string): string | undefined {
  try {
    const { protocol, href, hostname } = new URL(address);
    const isWeb = (protocol === "https:" || protocol === "http:") && hostname !== "";
    return isWeb && isWhereItLeads(writtenHost(address), hostname) ? href : undefined;
  } catch {
    return undefined;
  }
}

/** What is written before the path. */
function writtenHost(address: string): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(address)?.[1] ?? "";
}

/**
 * If a browser finds more dots in a host, a character only looks like no dot. `https://example.org@other.net` leads to
 * other.net.
 */
function isWhereItLeads(written: string, hostname: string): boolean {
  return !written.includes("@") && dots(written) === dots(hostname);
}

function dots(host: string): number {
  return count(host, ".");
}
