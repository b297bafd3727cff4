/**
 * Every command that a document tells to type is run, or says by a mark why not: the blocks of `sh` in all documents.
 *
 * What else the documents say is held by documents_test.ts and transcripts_test.ts.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type CommandBlock,
  commandBlocks,
  isLike,
  mayRunCommands,
  runBlocks,
  shownFiles,
} from "./command_sandbox.ts";
import { documentPaths, fencedBlocks, readDocument } from "../support/documents.ts";
import { IS_OF_OLD_DENO } from "../support/program.ts";

const ignore = !mayRunCommands();
const documents = await Promise.all(
  (await documentPaths()).map(async (file) => ({ file, text: await readDocument(file) })),
);

// On the Deno of the project: the documents recommend `--transport ws`, which an older one lacks.
const isSkipped = ignore || IS_OF_OLD_DENO;

for (const { file, text } of documents) {
  const blocks = commandBlocks(file, text);
  const run = blocks.filter(({ fate }) => fate.kind === "run");
  if (run.length > 0) {
    Deno.test({
      name: `the commands of ${file} do what it says, from its top to its end`,
      ignore: isSkipped,
      fn: () => runBlocks(run, shownFiles(text)),
    });
  }
}

Deno.test("a block that is run by another test names one that is there", async () => {
  for (const { fate } of documents.flatMap(({ file, text }) => commandBlocks(file, text))) {
    if (fate.kind === "run elsewhere") await Deno.stat(new URL(`../../${fate.test}`, import.meta.url));
  }
});

/** The blocks of a document with one block of these lines. */
function blockOf(lines: string, above = "", language = "sh"): CommandBlock[] {
  return commandBlocks("a.md", `# A\n${above}\n\`\`\`${language}\n${lines}\n\`\`\`\n`);
}

Deno.test("a block is run unless the comment above it says by whom else, or why not", () => {
  assertEquals(blockOf("true").map(({ fate }) => fate), [{ kind: "run" }]);
  assertEquals(blockOf("true", "<!-- not run: it needs a domain -->").map(({ fate }) => fate), [
    { kind: "not run", reason: "it needs a domain" },
  ]);
  assertEquals(blockOf("true", "<!-- run by tests/a_test.ts -->\n").map(({ fate }) => fate), [
    { kind: "run elsewhere", test: "tests/a_test.ts" },
  ]);
  assertEquals(blockOf("x", "", "c2"), []);
  for (const mark of ["not run", "not run: no", "run by hand", "never run: it is slow"]) {
    assertThrows(() => blockOf("true", `<!-- ${mark} -->`), Error, "a.md:3: no mark");
  }
  for (const language of ["", "bash", "console"]) {
    assertThrows(() => blockOf("true", "", language), Error, "a.md:3: ");
  }
});

Deno.test("a mark holds for the block right below it, and a fence inside of a longer one is text", () => {
  const [first, second] = fencedBlocks(
    "## B\n<!-- a -->\n\n````md\n```sh\nx\n```\n````\n- y\n\n  ```sh\n  z\n    w\n  ```\n",
  );
  assertEquals([first?.comment, first?.lines, first?.heading], ["a", ["```sh", "x", "```"], "B"]);
  assertEquals([second?.comment, second?.lines, second?.line], [undefined, ["z", "  w"], 11]);
  assertThrows(() => fencedBlocks("```sh\nx\n"), Error, "line 1 does not end");
});

Deno.test("a block whose language is followed by a file's name is that file", () => {
  const shown = shownFiles(
    "```json a.json\n{}\n```\n```js seed client\nx\n```\n```c2 --name a.b\n```\n```py a/b.py\ny\n```\n",
  );
  assertEquals(shown, [{ name: "a.json", text: "{}\n" }, { name: "a/b.py", text: "y\n" }]);
});

Deno.test("what a command writes is compared but for numbers, ids, widths, and what is left out", () => {
  const id = crypto.randomUUID();
  assertEquals(isLike('{"n":1,"name":"a"}', '{"n":23,"name":"a"}\n'), true);
  assertEquals(isLike('{"n":1,"name":"a"}', '{"n":1,"name":"b"}'), false);
  assertEquals(isLike("01a21227-4bd8-7719-919a-0b72130ac6ff; hi", `${id}; hi`), true);
  assertEquals(isLike("NAME   AGE\na      1 s", "NAME    AGE\na       1 s\n"), true);
  assertEquals(isLike("a\n...\nd", "a\nb\nc\nd"), true);
  assertEquals(isLike("a\n...\nd", "a\nb\nc\ne"), false);
  assertEquals(isLike("a", "a\nb"), false);
});

Deno.test({
  name: "a command that fails or writes something else fails at its line, and the document is one shell",
  ignore,
  fn: async () => {
    await runBlocks(blockOf("$ cat a/b.txt\nhi"), [{ name: "a/b.txt", text: "hi\n" }]);
    await runBlocks([...blockOf("export A=b\ncd ..\ncd work"), ...blockOf('$ echo "$A" | tr b c\nc')]);
    await assertRejects(() => runBlocks(blockOf("true\nfalse\ntrue")), Error, "a.md:3 fails");
    await assertRejects(() => runBlocks(blockOf("$ true\n$ (exit 3)")), Error, "a.md:5 fails");
    await assertRejects(() => runBlocks(blockOf("$ echo x\ny")), Error, "a.md:4 writes something else");
    const { message } = await assertRejects(() => runBlocks(blockOf("deno task fuzz")), Error);
    assertStringIncludes(message, "deno task fuzz: such a block is marked");
  },
});

Deno.test({
  name: "the servers of a document are there for its later commands, each on a free port of its own",
  ignore,
  fn: () =>
    runBlocks([
      ...blockOf('deno task start --name Pub\nchatter chat --port 5001 --name "Second" --kv ./second.db'),
      ...blockOf(`$ chatter servers --listing http://list.example --json | tr , '\\n' | grep display | sort
"displayName":"Pub"
"displayName":"Second"
$ echo hi | chatter client chat.example --name alice | tail -n 1
c2/DISCONNECT disconnect; alice
$ ls
second.db
second.db-shm
second.db-wal
second.db.lock`),
      // A later one on the same port takes the place of the first.
      ...blockOf("deno task listing --kv :memory:"),
      ...blockOf('$ chatter servers --json\n{"servers":[]}'),
    ]),
});
