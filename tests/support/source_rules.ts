/**
 * The house rules that a program can check, each a function from a source file to its faults. Deno's linter, whose
 * plugins run inside `deno test`, provides the syntax: a name in a comment or a text does not count. The caller chooses
 * the files.
 *
 * @module
 */

/** A file with its path from the project's root, as `src/kv/kv.ts`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export type Rule = (file: SourceFile) => string[];

/** Where the files of a folder may import from. The longest prefix counts; tests may import anything. */
const MAY_IMPORT: {
  readonly [from: string]: { readonly own: readonly string[]; readonly packages: boolean };
} = {
  "src/protocol/": { own: ["src/protocol/"], packages: false },
  "src/": { own: ["src/", "deno.json"], packages: true },
  "chat/": { own: ["chat/", "src/"], packages: true },
  "listing/": { own: ["listing/", "src/"], packages: true },
  // Code for browsers: it may import no package, and of the program only what is meant for browsers.
  "listing/web/": { own: ["listing/web/", "src/web/"], packages: false },
  "chat/web/": {
    own: ["chat/web/", "src/client/", "src/protocol/", "src/text/", "src/web/"],
    packages: false,
  },
  "src/text/": { own: ["src/text/", "src/protocol/"], packages: false },
  "src/client/": { own: ["src/client/", "src/protocol/"], packages: false },
  "terminal/": { own: ["terminal/", "src/"], packages: true },
  "tools/": { own: ["tools/", "src/", "deno.json"], packages: true },
  "main.ts": {
    own: ["src/", "chat/mod.ts", "chat/gateway/threads/mod.ts", "listing/mod.ts", "terminal/"],
    packages: true,
  },
  "tests/": { own: [""], packages: true },
};

export const importsItsOwn: Rule = (file) => {
  const folder = Object.keys(MAY_IMPORT).filter((prefix) => file.path.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  const allowed = folder === undefined ? undefined : MAY_IMPORT[folder];
  if (allowed === undefined) return [`no rule says what ${file.path} may import`];
  return syntaxOf(file).imports.flatMap((specifier) => {
    if (!specifier.startsWith(".")) return allowed.packages ? [] : [`imports the package ${specifier}`];
    const target = resolvePath(file.path, specifier);
    return allowed.own.some((prefix) => target.startsWith(prefix)) ? [] : [`imports ${target}`];
  });
};

/**
 * The stairs of the house: each step imports only steps before it. A step is a folder with its files, or a file that
 * lies beside folders.
 */
const STAIRS: readonly (readonly string[])[] = [
  [
    "src/protocol/",
    "src/text/",
    "src/lookalikes.ts",
    "src/near_spelling.ts",
    "src/write_all.ts",
    "src/clock.ts",
    "src/version.ts",
    "src/token_bucket.ts",
    "src/schema_issues.ts",
    "src/announcement/",
    "src/address.ts",
    "src/deadline.ts",
    "src/logging/",
    "src/cli/",
    "src/kv/",
    "src/serving/",
    "src/metrics/",
    "src/client/session/",
    "src/client/",
    "src/web/",
  ],
  [
    "chat/room/",
    "chat/store/",
    "chat/meters.ts",
    "chat/delivery/",
    "chat/resume/",
    "chat/order/",
    "chat/cluster/",
    "chat/cluster/node/",
    "chat/announce/",
    "chat/settings.ts",
    "chat/admin/",
    "chat/sockets/",
    "chat/gateway/",
    "chat/gateway/threads/",
    "chat/node.ts",
    "chat/cluster_node.ts",
    "chat/web/page/",
    "chat/web/visit/",
    "chat/web/people/",
    "chat/web/notifications/",
    "chat/web/composer/",
    "chat/web/log/",
    "chat/web/search/",
    "chat/web/",
    "chat/mod.ts",
  ],
  [
    "listing/refusals.ts",
    "listing/origin_counts.ts",
    "listing/origin_rate.ts",
    "listing/meters.ts",
    "listing/probe/",
    "listing/store/",
    "listing/list/",
    "listing/registry/",
    "listing/web/",
    "listing/pages/",
    "listing/http/",
    "listing/mod.ts",
  ],
  ["terminal/screen/", "terminal/"],
];

/** The stair and the step of a file. */
function stepOf(path: string): [stair: readonly string[], step: number] | undefined {
  for (const stair of STAIRS) {
    const file = stair.indexOf(path);
    const step = file >= 0 ? file : stair.indexOf(path.slice(0, path.lastIndexOf("/") + 1));
    if (step >= 0) return [stair, step];
  }
  return undefined;
}

/** Imports go down the stair, types included. */
export const importsDownTheStair: Rule = (file) => {
  const own = stepOf(file.path);
  if (own === undefined) return ["is on no step of a stair"];
  return importedBy(file).filter((target) => {
    const other = stepOf(target);
    return other !== undefined && other[0] === own[0] && other[1] > own[1];
  }).map((target) => `imports ${target}, which is above it`);
};

/** Our own files that `file` imports. */
function importedBy(file: SourceFile): string[] {
  return syntaxOf(file).imports.filter((specifier) => specifier.startsWith("."))
    .map((specifier) => resolvePath(file.path, specifier));
}

/** The circles of imports among files, types included: the files of each. */
export function circlesAmong(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map((file) => [file.path, importedBy(file)]));
  const reached = new Map(Array.from(imports.keys(), (path) => [path, reachableFrom(path, imports)]));
  const circles = new Map<string, string[]>();
  for (const [path, there] of reached) {
    const circle = [...there].filter((other) => reached.get(other)?.has(path)).toSorted();
    if (circle.length > 0) circles.set(circle.join(), circle);
  }
  return [...circles.values()];
}

function reachableFrom(path: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const next = [path];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    for (const target of imports.get(at) ?? []) {
      if (reached.has(target)) continue;
      reached.add(target);
      next.push(target);
    }
  }
  return reached;
}

const FILES_IN_A_FOLDER_MAX = 25;

/** Folders with more files of their own than one sees at a glance. */
export function crowdedFolders(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > FILES_IN_A_FOLDER_MAX).map(([folder]) => folder);
}

/** An adapter `noun_<tech>.ts` lies beside its port `noun.ts`, and only the composition in mod.ts may choose it. */
export function adaptersAreChosenByMod(paths: readonly string[]): Rule {
  const isAdapter = (path: string) => {
    const parts = /^((?:chat|listing)\/(?:.*\/)?[a-z0-9_]+)_(?:kv|memory|serve|ws|socket|system|nats)\.ts$/
      .exec(path);
    return parts !== null && paths.includes(`${parts[1]}.ts`);
  };
  return (file) => {
    if (file.path.startsWith("tests/") || file.path.endsWith("/mod.ts") || isAdapter(file.path)) return [];
    // A port is declared by its user, which may be an adapter: importing its type is no choice.
    const { imports, typeImports } = syntaxOf(file);
    return imports.filter((specifier) => specifier.startsWith(".") && !typeImports.includes(specifier))
      .map((specifier) => resolvePath(file.path, specifier))
      .filter(isAdapter).map((target) => `imports the adapter ${target}`);
  };
}

/** Names that only certain files may use, and which files. */
const OWNERS: readonly { use: RegExp; owners: readonly string[] }[] = [
  { use: /^Deno\.openKv$/, owners: ["src/kv/kv.ts"] },
  { use: /^Deno\.(?:add|remove)SignalListener$/, owners: ["src/serving/signals.ts"] },
  {
    use: /^(?:Date\.now|performance\.now|new Date\(\)|Date\(\)|Temporal\.Now\b.*)$/,
    // The session's driver runs in browsers too, which get no other file of src/.
    owners: ["src/clock.ts", "src/client/session_driver.ts"],
  },
  { use: /^import @logtape\/logtape$/, owners: ["src/logging/log.ts", "src/logging/log_line.ts"] },
];

export const usesAreOwned: Rule = (file) => {
  // A browser has clocks of its own.
  if (/^(?:tests|tools|[a-z]+\/web)\//.test(file.path)) return [];
  const { uses, imports } = syntaxOf(file);
  return [...uses, ...imports.map((specifier) => `import ${specifier}`)].flatMap((use) =>
    OWNERS.filter((owner) => owner.use.test(use) && !owner.owners.includes(file.path))
      .map(({ owners }) => `uses ${use}, which is ${owners.join(" and ")}'s`)
  );
};

// The world as seen from code: the runtime, the network, time, chance, and output.
const IMPURE =
  /^(?:Deno|fetch|WebSocket|Worker|setTimeout|setInterval|clearTimeout|clearInterval|queueMicrotask|crypto|performance|console|localStorage|globalThis|process|Math\.random|Date\.now|new Date\(\)|Date\(\)|Temporal\.Now\b.*)$/;

export const isPure: Rule = (file) =>
  syntaxOf(file).uses.filter((use) => IMPURE.test(use)).map((use) => `is pure, but uses ${use}`);

/** What a file exports is a word of another one. `files` are all that may use it. */
export function exportsWhatOthersUse(files: readonly SourceFile[]): Rule {
  const users = new Map<string, number>();
  for (const { text } of files) {
    for (const word of new Set(text.match(/\w+/g))) users.set(word, (users.get(word) ?? 0) + 1);
  }
  return ({ text }) =>
    [...text.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)]
      .flatMap(([, name = ""]) => users.get(name) === 1 ? [`exports ${name} for no other file`] : []);
}

export const opensWithADocComment: Rule = ({ path, text }) => {
  if (path.endsWith(".d.ts")) return [];
  const comment = /^\/\*\*\n( \*[^\n]*\n)+? \*\/\n/.exec(text)?.[0];
  if (comment === undefined) return ["does not open with a doc comment"];
  const says = comment.replaceAll(/^[ /*]+|@module/gm, "").trim();
  return [
    ...(comment.includes("\n * @module\n") ? [] : ["has no @module in its opening comment"]),
    ...(says.length < 40 ? ["says too little of itself in its opening comment"] : []),
  ];
};

export const nameSaysWhatItHolds: Rule = ({ path }) => {
  const names = path.split("/");
  const file = names.at(-1) ?? "";
  const plain = names.map((name) => name.replace(/\..*$/, ""));
  return [
    ...plain.filter((name) => /(?:^|_)(?:utils?|helpers?|managers?|common|misc|stuff)(?:_|$)/.test(name)),
    ...["types.ts", "index.ts"].filter((name) => name === file),
    ...(/^[a-z0-9]+(?:_[a-z0-9]+)*(?:\.d)?\.(?:ts|js)$/.test(file) ? [] : [file]),
  ].map((name) => `${name} is no name for it`);
};

/** The sections of a protocol document, by the numbers of its headings. */
export function sectionsOf(protocol: string): Set<string> {
  return new Set(
    [...protocol.matchAll(/^#+ +§?([0-9]+(?:\.[0-9]+)*)\b/gm)].map(([, number]) => number ?? ""),
  );
}

/** Every `§4.1` is a section of the protocol, except sections of an RFC. */
export function citesWhatExists(sections: ReadonlySet<string>): Rule {
  return ({ text }) =>
    [...text.matchAll(/(RFC [0-9]+,? )?§([0-9]+(?:\.[0-9]+)*)/g)]
      .filter(([, rfc, number]) => rfc === undefined && !sections.has(number ?? ""))
      .map(([, , number]) => `cites §${number}, which the protocol does not have`);
}

const FUNCTION_LINES_MAX = 60;

/** A longer function has a second job. */
export const functionsAreShort: Rule = (file) =>
  syntaxOf(file).functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ line, lines }) => `has a function of ${lines} lines at line ${line}`);

interface Syntax {
  /** Specifiers of imports and re-exports, static, dynamic and of types. */
  readonly imports: readonly string[];
  /** Those that import only types. */
  readonly typeImports: readonly string[];
  /** Names that are read (`fetch`), chains of names (`Date.now`), and `new Date()` and `Date()`. */
  readonly uses: readonly string[];
  /** Functions and methods, by their first line and their length in lines. */
  readonly functions: readonly { readonly line: number; readonly lines: number }[];
}

// deno-lint-ignore no-explicit-any -- nodes of every kind come through, each looked at by its `type`
type Node = any;

/** By file: several rules ask for it. */
const read = new WeakMap<SourceFile, Syntax>();

/** What a file imports and which names it uses. */
function syntaxOf(file: SourceFile): Syntax {
  const syntax = read.get(file) ?? readSyntax(file);
  read.set(file, syntax);
  return syntax;
}

function readSyntax({ path, text }: SourceFile): Syntax {
  const imports: string[] = [];
  const typeImports: string[] = [];
  const uses: string[] = [];
  const functions: { line: number; lines: number }[] = [];
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const visit = (node: Node, source: string) => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
      case "ImportExpression":
        if (node.source === null || node.source === undefined) return;
        // A source that is no plain text cannot be checked, and is shown as written.
        imports.push(typeof node.source.value === "string" ? node.source.value : `./${source}`);
        if (node.importKind === "type" || node.exportKind === "type") typeImports.push(imports.at(-1) ?? "");
        return;
      case "TSImportType":
        imports.push(String(node.argument?.literal?.value ?? node.argument?.value ?? `./${source}`));
        return;
      case "MemberExpression":
        uses.push(source.replace(/\s+/g, "").replaceAll("?.", "."));
        return;
      case "NewExpression":
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0) {
          uses.push(node.type === "NewExpression" ? "new Date()" : "Date()");
        }
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression": {
        const line = lineAt(node.range[0]);
        functions.push({ line, lines: source.split("\n").length });
        return;
      }
      case "Identifier":
        if (!isOnlyAKey(node)) uses.push(node.name);
    }
  };
  const plugin: Deno.lint.Plugin = {
    name: "syntax",
    rules: {
      collect: {
        create: ({ sourceCode }) => ({ "*": (node: Node) => visit(node, sourceCode.getText(node)) }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, path, text);
  return { imports, typeImports, uses: [...new Set(uses)], functions };
}

/** Whether the name is a property or a member, such as `fetch` in `app.fetch` and in `{ fetch: 1 }`. */
function isOnlyAKey(node: Node): boolean {
  const { parent } = node;
  if (parent === undefined || parent === null || parent.computed) return false;
  // In `{ fetch }` the key is the value too.
  if (parent.type === "Property" && parent.shorthand) return false;
  return (parent.type === "MemberExpression" && sameNode(parent.property, node)) ||
    ("key" in parent && sameNode(parent.key, node));
}

function sameNode(a: Node, b: Node): boolean {
  return a?.range?.[0] === b.range[0] && a?.range?.[1] === b.range[1];
}

function resolvePath(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
