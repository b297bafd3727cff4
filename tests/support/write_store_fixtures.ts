/**
 * Writes the stores of tests/vectors/stores/: starts a listing and a chat server of an earlier commit, sends messages,
 * and keeps both files with the answers. Run by hand before a layout changes: `deno run -A
 * tests/support/write_store_fixtures.ts NAME COMMIT`. The stores preserve what earlier programs wrote: none is ever
 * written again.
 *
 * @module
 */
import { ChatClient } from "./chat_client.ts";

const TOKEN = "correct-horse-battery-staple";
const VECTORS = new URL("../vectors/stores/", import.meta.url);

const [name = "", commit = ""] = Deno.args;
const folder = await Deno.makeTempDir();
await run("bash", "-c", `git archive ${commit} | tar -x -C ${folder}`);

const listing = await start("listing", `${folder}/listing.db`);
const chat = await start("chat", `${folder}/chat.db`, "--listing", listing.url, "--admin-token", TOKEN);
const alice = await ChatClient.connect(chat.url, "alice");
const bob = await ChatClient.connect(chat.url, "bob");
const ids: string[] = [];
for (const text of ["hello", "a first draft", "to be deleted", "naïve 日本語 👩‍🚀"]) {
  ids.push(await alice.say(text));
}
ids.push(await bob.say("and Bob's"));
for (const query of [`update_message; ${ids[1]}; a second draft`, `delete_message; ${ids[2]}`]) {
  await alice.drain();
  await alice.ask(`c2/QUERY ${query}`);
}
for (const ban of [{ name: "eve", message: "be kind" }, { address: "2001:db8::1", message: "no more" }]) {
  await fetch(`${chat.url}/admin/bans`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(ban),
  });
}
const lena = await ChatClient.open(chat.url, true);
await lena.ask("c2/CONNECT lena");
const [token = "", position] = (await lena.next()).slice("c2/SESSION ".length).split("; ");
const session = { token, position: Number(position) };
lena.send("c2/SEND n1; 1; with a nonce");
while (!(await lena.next()).includes("; with a nonce")) { /* Its own broadcast comes after its answer. */ }
await bob.drain();
const history = JSON.parse((await bob.ask("c2/QUERY history")).slice("c2/ACKNOWLEDGE ".length));
const listed = async () => (await (await fetch(`${listing.url}/servers`)).json()).servers;
while ((await listed()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
const [{ id, displayName }] = await listed();
// Without a withdrawal from the listing, which keeps the server; the next start closes the chat's own store.
chat.child.kill("SIGKILL");
await chat.child.status;
listing.child.kill("SIGTERM");
await listing.child.status;
for (const role of ["chat", "listing"]) {
  using kv = await Deno.openKv(`${folder}/${role}.db`);
  await kv.get(["opened"]);
}
for (const role of ["chat", "listing"]) {
  const bytes = await Deno.readFile(`${folder}/${role}.db`);
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(new URL(`${role}_${name}.db.gz`, VECTORS), packed);
}
await Deno.writeTextFile(
  new URL(`${name}.json`, VECTORS),
  JSON.stringify(
    { commit, history, bans: ["eve", "2001:db8:0:0::/64"], session, id, displayName },
    null,
    2,
  ) + "\n",
);
await Deno.remove(folder, { recursive: true });
Deno.exit(0);

async function run(command: string, ...args: string[]): Promise<string> {
  const { stdout, success } = await new Deno.Command(command, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

/** Starts a server of that commit, and waits until it listens. */
async function start(role: string, kv: string, ...flags: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", `${folder}/main.ts`, role, "--kv", kv, "--hostname", "127.0.0.1"],
      ...["--port", "0", "--log-format", "json", ...flags],
    ],
    stderr: "piped",
    stdout: "null",
  }).spawn();
  let log = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${role} ended: ${log}`);
    log += value;
    const url = /"url":"([^"]+)"/.exec(log)?.[1];
    if (url === undefined) continue;
    reader.releaseLock();
    return { child, url };
  }
}
