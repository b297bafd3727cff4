/**
 * The house rules, held over every file; and each rule held to be able to fail.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { WEB_FOLDERS } from "../src/serving/web_assets.ts";
import { PROTOCOL_DOCUMENTS, readDocument } from "./support/documents.ts";
import {
  adaptersAreChosenByMod,
  circlesAmong,
  citesWhatExists,
  crowdedFolders,
  exportsWhatOthersUse,
  functionsAreShort,
  importsDownTheStair,
  importsItsOwn,
  isPure,
  nameSaysWhatItHolds,
  opensWithADocComment,
  type Rule,
  sectionsOf,
  type SourceFile,
  usesAreOwned,
} from "./support/source_rules.ts";

const ROOT = new URL("../", import.meta.url);

/** Code that touches nothing of the world; what it needs of it comes as an argument. Folders, and files beside them. */
const PURE = [
  "src/protocol/",
  "src/text/",
  "src/client/session/",
  "src/cli/",
  "src/announcement/",
  "chat/room/",
  "terminal/screen/",
  "src/address.ts",
  "src/lookalikes.ts",
  "src/near_spelling.ts",
  "src/schema_issues.ts",
  "src/serving/negotiation.ts",
  "src/token_bucket.ts",
  "src/kv/transfer.ts",
  "src/logging/log_events.ts",
  "src/logging/log_line.ts",
  "src/metrics/meters.ts",
  "chat/meters.ts",
  "chat/settings.ts",
  "chat/admin/refusals.ts",
  "chat/admin/schemas.ts",
  "chat/delivery/turn_frames.ts",
  "chat/room/frame.ts",
  "chat/gateway/admission.ts",
  "chat/gateway/threads/messages.ts",
  "chat/order/batch.ts",
  "chat/sockets/http_connections.ts",
  "chat/sockets/write_batch.ts",
  "listing/meters.ts",
  "listing/list/page.ts",
  "listing/list/people.ts",
  "listing/pages/api_page.ts",
  "listing/pages/html_page.ts",
  "listing/registry/rules.ts",
  "listing/registry/outage.ts",
];

/** Functions that are too long, by file. Nothing is added here: it is a debt, and it is paid off. */
const TOO_LONG: readonly string[] = [];

/** What lies at the top, beside what starts with a dot and what is made and not kept. */
const TOP_LEVEL = [
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "PROTOCOL.md",
  "README.md",
  "SECURITY.md",
  "bench",
  "chat",
  "deno.json",
  "deno.lock",
  "docs",
  "listing",
  "main.ts",
  "packages",
  "src",
  "terminal",
  "tests",
  "tools",
];
const NOT_KEPT =
  /^(?:chatter|chatter\.exe|chatter\.part|coverage|dist|node_modules|.*\.jsonl|.*\.db(?:-shm|-wal|\.lock)?)$/;

async function filesIn(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) files.push(...await filesIn(`${folder}${name}/`));
    else if (/\.(?:ts|js)$/.test(name)) {
      files.push({ path: folder + name, text: await Deno.readTextFile(new URL(folder + name, ROOT)) });
    }
  }
  return files;
}

const FILES: readonly SourceFile[] = [
  { path: "main.ts", text: await Deno.readTextFile(new URL("main.ts", ROOT)) },
  ...(await Promise.all(["src/", "chat/", "listing/", "terminal/", "tools/", "tests/"].map(filesIn))).flat(),
];
const PATHS = FILES.map(({ path }) => path);
const isOnAStair = ({ path }: SourceFile) =>
  /^(?:src|chat|listing|terminal)\//.test(path) && !path.endsWith(".d.ts");
const isProgram = ({ path }: SourceFile) => !path.startsWith("tests/");
const isOurs = ({ path }: SourceFile) => path.endsWith(".ts");
const protocol = (await Promise.all(PROTOCOL_DOCUMENTS.map(readDocument))).join("\n");

function hold(rule: Rule, files: readonly SourceFile[]): void {
  assertGreater(files.length, 0, "the rule holds nothing");
  assertEquals(files.flatMap((file) => rule(file).map((problem) => `${file.path} ${problem}`)), []);
}

Deno.test("every file imports only what its folder may", () => hold(importsItsOwn, FILES.filter(isOurs)));

Deno.test("adapters are chosen by the mod.ts of their folder alone", () => {
  hold(adaptersAreChosenByMod(PATHS), FILES.filter(isOurs));
});

Deno.test("the KV, signals, the clock and the log library have one owner each", () => {
  hold(usesAreOwned, FILES.filter(isProgram));
});

Deno.test("pure files touch nothing of the world", () => {
  for (const pure of PURE) hold(isPure, FILES.filter(({ path }) => path.startsWith(pure)));
});

Deno.test("what a file of the program exports, another file uses", async () => {
  const others = await Promise.all(["bench/", "packages/"].map(filesIn));
  hold(exportsWhatOthersUse([...FILES, ...others.flat()]), FILES.filter(isProgram));
});

Deno.test("every file of the program and of the tests says at its head what it is", () => {
  hold(opensWithADocComment, FILES.filter(isOurs));
});

Deno.test("a file's name says what it holds", () => hold(nameSaysWhatItHolds, FILES));

Deno.test("a function is at most 60 lines long", () => {
  hold(functionsAreShort, FILES.filter((file) => isProgram(file) && !TOO_LONG.includes(file.path)));
  for (const path of TOO_LONG) {
    assertGreater(functionsAreShort(FILES.find((file) => file.path === path)!).length, 0);
  }
});

Deno.test("imports go down the stair of folders, types included", () => {
  hold(importsDownTheStair, FILES.filter(isOnAStair));
});

Deno.test("no files of the program import each other in a circle, types included", () => {
  assertEquals(circlesAmong(FILES.filter(isProgram)), []);
});

Deno.test("no folder of the program has more than 25 files of its own", () => {
  assertEquals(crowdedFolders(FILES.filter(isProgram).map(({ path }) => path)), []);
});

Deno.test("every section that a comment cites is in a document of the protocol", () => {
  hold(citesWhatExists(sectionsOf(protocol)), FILES.filter(isOurs));
});

Deno.test("the top level holds what belongs there and nothing else", async () => {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(ROOT)) names.push(name);
  const strangers = names.filter((name) =>
    !name.startsWith(".") && !NOT_KEPT.test(name) && !TOP_LEVEL.includes(name)
  );
  assertEquals(strangers, []);
});

Deno.test("the permissions of the program are said once, and every task that starts it has them", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const starts = Object.values<{ command: string }>(tasks).flatMap(({ command }) =>
    [...command.matchAll(/(\S+ \S+ \S+) (?:--watch=\S+ )?main\.ts/g)].map(([, start]) => start)
  );
  assertEquals([...new Set(starts)], ["task --quiet run"]);
  // Files of pages are read and not imported: without their folders a change of one would start nothing anew.
  const watched = [...tasks.dev.command.matchAll(/--watch=(\S+)/g)].flatMap(([, folders]) =>
    folders.split(",")
  );
  assertEquals([...new Set(watched)].sort(), [...WEB_FOLDERS].sort());
});

const HEAD = "/**\n * What it is and what it is not, in a sentence or two.\n *\n * @module\n */\n";

/** For each rule: a file that breaks it with what is said, or one that looks alike and does not break it. */
const CASES: readonly [name: string, rule: Rule, path: string, text: string, problems: string[]][] = [
  ["imports", importsItsOwn, "src/protocol/a.ts", `import "../logging/log.ts";`, [
    "imports src/logging/log.ts",
  ]],
  ["imports", importsItsOwn, "src/protocol/a.ts", `import type { Z } from "zod";`, [
    "imports the package zod",
  ]],
  ["imports", importsItsOwn, "src/protocol/a.ts", `export * from "./b.ts";`, []],
  ["imports", importsItsOwn, "src/a.ts", `export { a } from "../chat/mod.ts";`, ["imports chat/mod.ts"]],
  ["imports", importsItsOwn, "src/a.ts", `import a from "../deno.json" with { type: "json" };`, []],
  [
    "imports",
    importsItsOwn,
    "src/a.ts",
    `// import "../chat/mod.ts";\nconst a = 'import "../chat/mod.ts"';`,
    [],
  ],
  ["imports", importsItsOwn, "chat/a.ts", `await import("../listing/mod.ts");`, ["imports listing/mod.ts"]],
  ["imports", importsItsOwn, "chat/a.ts", `type A = import("../listing/mod.ts").A;`, [
    "imports listing/mod.ts",
  ]],
  ["imports", importsItsOwn, "chat/a/b.ts", `import "../../tests/support/x.ts";`, [
    "imports tests/support/x.ts",
  ]],
  ["imports", importsItsOwn, "listing/a.ts", `import "../chat/b/a.ts";`, ["imports chat/b/a.ts"]],
  ["imports", importsItsOwn, "listing/web/a.ts", `import "../b/a.ts";`, [
    "imports listing/b/a.ts",
  ]],
  ["imports", importsItsOwn, "listing/web/a.ts", `import "hono"; import "./b.ts";`, [
    "imports the package hono",
  ]],
  ["imports", importsItsOwn, "listing/a.ts", `import "../main.ts";`, ["imports main.ts"]],
  ["imports", importsItsOwn, "terminal/a.ts", `import "../chat/admin/admin_api.ts";`, [
    "imports chat/admin/admin_api.ts",
  ]],
  ["imports", importsItsOwn, "terminal/a.ts", `import "../src/cli/commands.ts"; import "./table.ts";`, []],
  ["imports", importsItsOwn, "chat/a.ts", `import "../terminal/table.ts";`, ["imports terminal/table.ts"]],
  ["imports", importsItsOwn, "main.ts", `await import("./chat/b/a.ts");`, ["imports chat/b/a.ts"]],
  [
    "imports",
    importsItsOwn,
    "main.ts",
    `await import("./chat/mod.ts"); await import("./listing/mod.ts");`,
    [],
  ],
  ["imports", importsItsOwn, "tools/a.ts", `import "../chat/mod.ts";`, ["imports chat/mod.ts"]],
  ["imports", importsItsOwn, "bench/a.ts", "", ["no rule says what bench/a.ts may import"]],
  [
    "exports",
    exportsWhatOthersUse([
      { path: "src/a.ts", text: "export const A = 1;\nexport function b() {}\nexport interface C {}" },
      { path: "src/b.ts", text: "b();" },
    ]),
    "src/a.ts",
    "export const A = 1;\nexport function b() {}\nexport interface C {}",
    ["exports A for no other file"],
  ],
  [
    "adapters",
    adaptersAreChosenByMod(["chat/a/port.ts", "chat/a/port_kv.ts"]),
    "chat/a/b.ts",
    `import "./port_kv.ts";`,
    ["imports the adapter chat/a/port_kv.ts"],
  ],
  [
    "adapters",
    adaptersAreChosenByMod(["chat/a/port.ts", "chat/a/port_kv.ts"]),
    "chat/a/b.ts",
    `import type { Key } from "./port_kv.ts";`,
    [],
  ],
  [
    "adapters",
    adaptersAreChosenByMod(["chat/a/port.ts", "chat/a/port_kv.ts"]),
    "chat/mod.ts",
    `import "./a/port_kv.ts";`,
    [],
  ],
  [
    "adapters",
    adaptersAreChosenByMod(["chat/room/message_id.ts"]),
    "chat/a/b.ts",
    `import "./message_id.ts";`,
    [],
  ],
  ["owners", usesAreOwned, "chat/a.ts", "await Deno.openKv();", [
    "uses Deno.openKv, which is src/kv/kv.ts's",
  ]],
  ["owners", usesAreOwned, "src/kv/kv.ts", "await Deno.openKv();", []],
  ["owners", usesAreOwned, "tests/a.ts", "await Deno.openKv();", []],
  ["owners", usesAreOwned, "listing/web/a.ts", "Date.now();", []],
  ["owners", usesAreOwned, "chat/a.ts", "// Deno.openKv()\nconst text = 'Date.now()';", []],
  [
    "owners",
    usesAreOwned,
    "main.ts",
    `Deno\n  .addSignalListener("SIGINT", stop);`,
    ["uses Deno.addSignalListener, which is src/serving/signals.ts's"],
  ],
  ["owners", usesAreOwned, "chat/a.ts", "Date.now();", [
    "uses Date.now, which is src/clock.ts and src/client/session_driver.ts's",
  ]],
  ["owners", usesAreOwned, "chat/a.ts", "performance.now();", [
    "uses performance.now, which is src/clock.ts and src/client/session_driver.ts's",
  ]],
  ["owners", usesAreOwned, "chat/a.ts", "new Date();", [
    "uses new Date(), which is src/clock.ts and src/client/session_driver.ts's",
  ]],
  ["owners", usesAreOwned, "chat/a.ts", "new Date(5);", []],
  [
    "owners",
    usesAreOwned,
    "chat/a.ts",
    `import { getLogger } from "@logtape/logtape";`,
    ["uses import @logtape/logtape, which is src/logging/log.ts and src/logging/log_line.ts's"],
  ],
  ["pure", isPure, "a.ts", "Deno.exit();", ["is pure, but uses Deno"]],
  ["pure", isPure, "a.ts", "let kv: Deno.Kv;", ["is pure, but uses Deno"]],
  ["pure", isPure, "a.ts", "await fetch(url);", ["is pure, but uses fetch"]],
  ["pure", isPure, "a.ts", "const o = { fetch };", ["is pure, but uses fetch"]],
  ["pure", isPure, "a.ts", "const o = { fetch: 1 }; app.fetch(); class A { fetch() {} }", []],
  ["pure", isPure, "a.ts", "setTimeout(f, 1);", ["is pure, but uses setTimeout"]],
  ["pure", isPure, "a.ts", "const at = Date.now();", ["is pure, but uses Date.now"]],
  ["pure", isPure, "a.ts", "const at = new Date();", ["is pure, but uses new Date()"]],
  ["pure", isPure, "a.ts", "const at = new Date(ms).toISOString();", []],
  ["pure", isPure, "a.ts", "const r = Math.random();", ["is pure, but uses Math.random"]],
  ["pure", isPure, "a.ts", "const r = Math.max(1, 2);", []],
  ["pure", isPure, "a.ts", "crypto.randomUUID();", ["is pure, but uses crypto"]],
  ["pure", isPure, "a.ts", "console.log(1);", ["is pure, but uses console"]],
  ["pure", isPure, "a.ts", "globalThis['Deno'];", ["is pure, but uses globalThis"]],
  ["pure", isPure, "a.ts", "/* Deno.exit() */ const text = `console ${1}`;", []],
  ["head", opensWithADocComment, "src/a.ts", HEAD + "export {};\n", []],
  ["head", opensWithADocComment, "src/a.ts", "export {};\n", ["does not open with a doc comment"]],
  ["head", opensWithADocComment, "src/a.ts", "// a\n" + HEAD, ["does not open with a doc comment"]],
  [
    "head",
    opensWithADocComment,
    "src/a.ts",
    HEAD.replace(" * @module\n", ""),
    ["has no @module in its opening comment"],
  ],
  [
    "head",
    opensWithADocComment,
    "src/a.ts",
    "/**\n * A file.\n *\n * @module\n */\n",
    ["says too little of itself in its opening comment"],
  ],
  ["name", nameSaysWhatItHolds, "src/utils.ts", "", ["utils is no name for it"]],
  ["name", nameSaysWhatItHolds, "src/string_util.ts", "", ["string_util is no name for it"]],
  ["name", nameSaysWhatItHolds, "src/helpers/name.ts", "", ["helpers is no name for it"]],
  ["name", nameSaysWhatItHolds, "chat/session_manager.ts", "", ["session_manager is no name for it"]],
  ["name", nameSaysWhatItHolds, "chat/types.ts", "", ["types.ts is no name for it"]],
  ["name", nameSaysWhatItHolds, "chat/index.ts", "", ["index.ts is no name for it"]],
  ["name", nameSaysWhatItHolds, "chat/chatRoom.ts", "", ["chatRoom.ts is no name for it"]],
  ["name", nameSaysWhatItHolds, "chat/room/room.ts", "", []],
  ["name", nameSaysWhatItHolds, "src/std.d.ts", "", []],
  ["cites", citesWhatExists(new Set(["4", "4.1"])), "a.ts", "// PROTOCOL.md §4.1 and §4, RFC 6455 §5.5", []],
  [
    "cites",
    citesWhatExists(new Set(["4", "4.1"])),
    "a.ts",
    "// §4.1, §4.2 and §5",
    ["cites §4.2, which the protocol does not have", "cites §5, which the protocol does not have"],
  ],
  ["stair", importsDownTheStair, "chat/room/a.ts", `import "../store/b.ts";`, [
    "imports chat/store/b.ts, which is above it",
  ]],
  ["stair", importsDownTheStair, "chat/room/a.ts", `import type { B } from "../mod.ts";`, [
    "imports chat/mod.ts, which is above it",
  ]],
  ["stair", importsDownTheStair, "chat/store/a.ts", `import "../room/b.ts"; import "./c.ts";`, []],
  ["stair", importsDownTheStair, "chat/elsewhere/a.ts", "", ["is on no step of a stair"]],
  ["short", functionsAreShort, "a.ts", `function f() {${"\n".repeat(59)}}`, []],
  ["short", functionsAreShort, "a.ts", `\nconst f = () => {${"\n".repeat(60)}};`, [
    "has a function of 61 lines at line 2",
  ]],
];

Deno.test("each rule catches what breaks it, and only that", () => {
  for (const [name, rule, path, text, problems] of CASES) {
    assertEquals(rule({ path, text }), problems, `${name}: ${path}: ${text}`);
  }
});

Deno.test("a circle is found however long it is, and nothing else is one", () => {
  const file = (path: string, ...imports: string[]): SourceFile => ({
    path,
    text: imports.map((name) => `import type { A } from "./${name}";`).join("\n"),
  });
  const files = [file("a.ts", "b.ts", "d.ts"), file("b.ts", "c.ts"), file("c.ts", "a.ts"), file("d.ts")];
  assertEquals(circlesAmong(files), [["a.ts", "b.ts", "c.ts"]]);
  assertEquals(circlesAmong(files.slice(1)), []);
});

Deno.test("the sections of a protocol are the numbers of its headings", () => {
  const protocol = "# c2\n\n## 1 Terms\n\nSee 3.1.\n\n### 1.2 More\n## 2. Frames\n## §7.3 Limits\n";
  assertEquals(sectionsOf(protocol), new Set(["1", "1.2", "2", "7.3"]));
});
