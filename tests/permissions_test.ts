/**
 * The permissions that a command gives up, seen in a process that had them all.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

Deno.test("a client of other people's servers keeps the network and nothing else", async () => {
  const program = `
    import { keepOnlyTheNetwork } from ${JSON.stringify(new URL("src/permissions.ts", ROOT).href)};
    await keepOnlyTheNetwork();
    const names = ["net", "read", "write", "run", "env", "sys", "ffi"];
    const states = await Promise.all(names.map((name) => Deno.permissions.query({ name })));
    let read = "";
    try { Deno.readTextFileSync("deno.json"); } catch (error) { read = error.name; }
    await Deno.stdout.write(new TextEncoder().encode(JSON.stringify([...states.map(({ state }) => state), read])));`;
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, program);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-net",
        "--allow-read",
        "--allow-write",
        "--allow-run",
        "--allow-env",
        "--allow-sys",
        "--allow-ffi",
        `--config=${new URL("deno.json", ROOT).pathname}`,
        file,
      ],
      stdin: "null",
    }).output();
    assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [
      "granted",
      ...Array(6).fill("prompt"),
      "NotCapable",
    ]);
  } finally {
    await Deno.remove(file);
  }
});
