/**
 * The cluster's code with one mistake in it, as a copy in a temporary folder: it shows that the model finds the mistake.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { ClusterCode } from "./model_cluster.ts";

const CHAT = new URL("../../../chat/", import.meta.url);

export interface Mistake {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Copies chat/cluster/ into `folder`, with `from` replaced in one file, and imports it. */
export async function mutatedCode(folder: string, { file, from, to }: Mistake): Promise<ClusterCode> {
  for await (const { name, isFile } of Deno.readDir(new URL("cluster/", CHAT))) {
    if (!isFile) continue;
    const text = await Deno.readTextFile(new URL(`cluster/${name}`, CHAT));
    if (name === file) assert(text.includes(from), `${file} has no ${from}`);
    const changed = name === file ? text.replace(from, to) : text;
    const placed = changed.replaceAll(
      /from "(\.\.\/[^"]+)"/g,
      (_, path) => `from "${new URL(path, new URL("cluster/", CHAT))}"`,
    );
    await Deno.writeTextFile(`${folder}/${name}`, placed);
  }
  const { Member, READ_MAX } = await import(`file://${folder}/member.ts`);
  const { Replica } = await import(`file://${folder}/replica.ts`);
  return { Member, Replica, READ_MAX };
}
