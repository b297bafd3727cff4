/**
 * A server without --cluster loads nothing of it: neither the cluster's code nor the packages for NATS.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { fileURLToPath as fromFileUrl } from "node:url";

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier: string };
      readonly specifier: string;
    }[];
  }[];
}

Deno.test("without --cluster nothing of a cluster is loaded", async () => {
  const entry = fromFileUrl(new URL("../../../chat/mod.ts", import.meta.url));
  const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", config, entry],
    stderr: "null",
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set<string>();
  const next = [...roots];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (loaded.has(name)) continue;
    loaded.add(name);
    for (const { code, isDynamic } of byName.get(name)?.dependencies ?? []) {
      if (isDynamic !== true && code !== undefined) next.push(code.specifier);
    }
  }
  assertGreater(loaded.size, 50);
  // The folder that the project is in may have any name.
  const root = new URL("../../../", import.meta.url).href;
  const names = [...loaded].map((name) => name.replace(root, ""));
  assertEquals(names.filter((name) => /cluster(?!_flags)|nats/.test(name)), []);
});
