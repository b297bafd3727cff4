/**
 * The proxy of the compose file for a cluster, as it is but for ports: which nodes get requests, and what is kept from
 * outside. Skipped where there is no Caddy.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";
import { caddyPath } from "./caddy_proxy.ts";
import { PACKAGES, ProxyProgram, replaced } from "./proxy_program.ts";

const NODES = ["chat-a", "chat-b", "chat-c"] as const;

/** A node that answers with its name. */
function startNode(name: string, isReady: () => boolean): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: freePort(), onListen: () => {} }, ({ url }) => {
    if (new URL(url).pathname !== "/readyz") return new Response(name);
    return new Response(null, { status: isReady() ? 200 : 503 });
  });
}

async function withCluster(
  test: (url: string, nodes: Deno.HttpServer<Deno.NetAddr>[], unready: Set<string>) => Promise<void>,
): Promise<void> {
  const unready = new Set<string>();
  const nodes = NODES.map((name) => startNode(name, () => !unready.has(name)));
  const site = freePort();
  const example = replaced(await Deno.readTextFile(`${PACKAGES}docker/Caddyfile.cluster`), [
    ["{$CHATTER_SITE::80} {", `http://127.0.0.1:${site} {`],
    ...NODES.map((name, i) => [`${name}:5000`, `127.0.0.1:${nodes[i]?.addr.port}`] as const),
  ]);
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/Caddyfile`, `{\n\tadmin off\n}\n${example}`);
  const args = ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`];
  await using _proxy = await ProxyProgram.start(caddyPath!, args, { folder, ports: [site] });
  try {
    await test(`http://127.0.0.1:${site}`, nodes, unready);
  } finally {
    await Promise.all(nodes.map((node) => node.shutdown()));
  }
}

/** The nodes that answer some requests. */
async function answering(url: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: 30 }, async () => await (await fetch(url)).text()));
  return [...new Set(answers)].toSorted();
}

Deno.test({
  name: "requests go to the nodes that are ready, and to one again when it is",
  ignore: caddyPath === undefined,
  fn: () =>
    withCluster(async (url, _nodes, unready) => {
      await until("all three answer", async () => (await answering(url)).length === 3);
      unready.add("chat-b");
      await until("the one that is not ready answers no more", async () =>
        !(await answering(url)).includes("chat-b"));
      assertEquals(await answering(url), ["chat-a", "chat-c"]);
      unready.clear();
      await until("all three answer again", async () =>
        (await answering(url)).length === 3);
    }),
});

Deno.test({
  name: "no request fails while a node is gone, and the operator's paths are kept from outside",
  ignore: caddyPath === undefined,
  fn: () =>
    withCluster(async (url, [first], _unready) => {
      await first?.shutdown();
      assertEquals(await answering(url), ["chat-b", "chat-c"]);
      for (const path of ["/admin", "/admin/users", "/metrics"]) {
        const response = await fetch(url + path);
        await response.body?.cancel();
        assertEquals(response.status, 404, path);
      }
    }),
});
