/**
 * The bytes of a long list in parts: the same as made in one go, plain and compressed, whatever changed before.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type ListedJson, ListParts, PART_SERVERS_MAX } from "../../listing/list/incremental_gzip.ts";

async function check(parts: ListParts, servers: ListedJson[]): Promise<void> {
  const expected = `{"servers":[${servers.map(({ json }) => json).join(",")}]}`;
  const made = await parts.make(servers);
  assertEquals(new TextDecoder().decode(made.bytes), expected);
  const zipped = new Blob([await made.gzipped()]).stream().pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(zipped).text(), expected);
}

function server(id: number, users = 0): ListedJson {
  return { id, json: JSON.stringify({ id, name: `Sërver 🎉 ${id}`, users }) };
}

Deno.test("a list made of parts is the same as made in one go, as servers come, change, move and go", async () => {
  const parts = new ListParts();
  await check(parts, []);
  const ids = Array.from({ length: 2000 }, (_, i) => i * 7919 + (i % 3) * 2 ** 40);
  let servers = ids.map((id) => server(id));
  await check(parts, servers);
  assert(parts.size > 2, "it has several");
  for (const at of [0, 1, 999, 1998, 1999]) {
    servers = servers.with(at, server(servers[at]!.id, 5));
    await check(parts, servers);
    await check(parts, servers.toSpliced(at, 1));
    await check(parts, servers.toSpliced(at, 0, server(5, at)));
    await check(parts, [servers[at]!, ...servers.toSpliced(at, 1)]);
  }
  await check(parts, servers.toReversed());
  await check(parts, servers.slice(0, 1));
  await check(parts, []);
  assertEquals(parts.size, 0);
});

Deno.test("a part is bounded although no id in it ends one", async () => {
  const ids: number[] = [];
  for (let id = 1; ids.length <= PART_SERVERS_MAX; id++) {
    const alone = new ListParts();
    await alone.make([server(id), server(0)]);
    if (alone.size === 1) ids.push(id);
  }
  const parts = new ListParts();
  await check(parts, ids.slice(0, PART_SERVERS_MAX).map((id) => server(id)));
  assertEquals(parts.size, 1);
  await check(parts, ids.map((id) => server(id)));
  assertEquals(parts.size, 2);
});
