/**
 * The client of 2021 that README.md shows, as text.
 *
 * @module
 */

const README = new URL("../../README.md", import.meta.url);

/** Its code, with the address replaced by this server's. */
export async function seedClient(serverUrl: string): Promise<string> {
  const readme = await Deno.readTextFile(README);
  const code = /^```js seed client\n([\s\S]*?)^```$/m.exec(readme)?.[1];
  if (code === undefined) throw new Error("README.md has no seed client");
  const address = "ws://localhost:5000";
  if (!code.includes(address)) throw new Error(`The seed client does not name ${address}`);
  return code.replace(address, serverUrl.replace(/^http/, "ws"));
}
