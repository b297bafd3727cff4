/**
 * The project's documents and the fenced blocks in them. What a block means is its users' concern: transcript.ts plays
 * some, command_sandbox.ts runs some.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** The documents whose numbered headings are the sections of the protocol, §1 to §12. */
export const PROTOCOL_DOCUMENTS = ["PROTOCOL.md", "docs/listing_api.md", "docs/admin_api.md"];

/** The paths of all Markdown files of the project, from its root, in order. */
export async function documentPaths(folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    // The last two are made.
    if (name.startsWith(".") || name === "node_modules" || name === "dist") continue;
    if (isDirectory) paths.push(...await documentPaths(`${folder}${name}/`));
    else if (name.endsWith(".md")) paths.push(folder + name);
  }
  return paths.sort();
}

export function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

export interface FencedBlock {
  /** The line of its opening fence, from 1. */
  readonly line: number;
  /** The heading above it, without its marks. */
  readonly heading: string;
  /** The text after the opening fence. */
  readonly info: string;
  readonly lines: readonly string[];
  /** The HTML comment right above it, without its marks. */
  readonly comment: string | undefined;
}

/** All fenced blocks of a document, in order. Throws if one does not end. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let heading = "";
  let comment: string | undefined;
  let open: { fence: string; block: FencedBlock & { lines: string[] } } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const [, indent = "", fence, info = ""] = /^( *)(`{3,})(.*)$/.exec(text) ?? [];
    if (open === undefined) {
      heading = /^#+ (.*)$/.exec(text)?.[1] ?? heading;
      if (fence === undefined) {
        if (text.trim() !== "") comment = /^ *<!-- (.*) -->$/.exec(text)?.[1];
        continue;
      }
      const block = { line: index + 1, heading, info: info.trim(), lines: [], comment };
      open = { fence: indent + fence, block };
    } else if (fence !== undefined && indent + fence === open.fence && info === "") {
      blocks.push(open.block);
      open = undefined;
      comment = undefined;
    } else {
      const indent = open.fence.indexOf("`");
      open.block.lines.push(text.slice(0, indent).trim() === "" ? text.slice(indent) : text);
    }
  }
  if (open !== undefined) throw new Error(`The block at line ${open.block.line} does not end`);
  return blocks;
}
