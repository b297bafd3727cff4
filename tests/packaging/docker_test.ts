/**
 * The image and the compose files, as far as they can be judged without an engine: linted, held to what the program
 * needs and to what they promise. No image is built here.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { DCLinter } from "dclint";
import dockerfileUtils, { ValidationSeverity, type ValidatorSettings } from "dockerfile-utils";
import config from "../../deno.json" with { type: "json" };
import { parse as parseYaml } from "@std/yaml/parse";
import { COMMANDS, isCommandName, syntaxesOf, variableName } from "../../src/cli/commands.ts";
import { PACKAGES } from "./proxy_program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FOLDER = `${PACKAGES}docker/`;
const dockerfile = await Deno.readTextFile(`${FOLDER}Dockerfile`);

/** Everything that it warns of, as an error. */
const STRICT: ValidatorSettings = {
  deprecatedMaintainer: ValidationSeverity.ERROR,
  directiveCasing: ValidationSeverity.ERROR,
  emptyContinuationLine: ValidationSeverity.ERROR,
  instructionCasing: ValidationSeverity.ERROR,
  instructionCmdMultiple: ValidationSeverity.ERROR,
  instructionEntrypointMultiple: ValidationSeverity.ERROR,
  instructionHealthcheckMultiple: ValidationSeverity.ERROR,
  instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
  instructionWorkdirRelative: ValidationSeverity.ERROR,
};

function objections(text: string): string[] {
  return dockerfileUtils.validate(text, STRICT).map(({ range, message }) =>
    `${range.start.line + 1}: ${message}`
  );
}

/** Files of this project that run when `main` does, from its root. */
async function modulesOf(main: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", main],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  const local = modules.map(({ specifier }) => specifier).filter((it) => it.startsWith(`file://${ROOT}`));
  return local.map((specifier) => specifier.slice(`file://${ROOT}`.length));
}

/** What a stage copies out of the build's context. */
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)].flatMap(([, from]) =>
  from!.split(" ")
);

Deno.test("a linter has nothing to object to the Dockerfile, and would have", () => {
  assertEquals(objections(dockerfile), []);
  assertGreater(objections(`${dockerfile}\nCMD ["listing"]\n`).length, 0);
  assertGreater(objections(dockerfile.replace("EXPOSE 5000", "EXPOSE port")).length, 0);
});

Deno.test("the image is built of everything that the program and its build are made of", async () => {
  const needed = [...await modulesOf("main.ts"), ...await modulesOf("tools/compile.ts")];
  assert(needed.includes("chat/mod.ts") && needed.includes("tools/run_deno.ts"), needed.join(" "));
  const isCopied = (path: string) => copied.some((from) => path === from || path.startsWith(`${from}/`));
  assertEquals(needed.filter((path) => !isCopied(path)), []);
  // The context holds these, and nothing more.
  const ignore = await Deno.readTextFile(`${FOLDER}Dockerfile.dockerignore`);
  const [first, ...rest] = ignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(first, "*");
  assertEquals(rest.toSorted(), copied.map((path) => `!${path}`).toSorted());
});

Deno.test("the image runs as a user without rights, keeps its data, and can tell how it is", async () => {
  const final = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  const [, user = ""] = /^USER ([0-9]+):[0-9]+$/m.exec(final) ?? [];
  assertGreater(Number(user), 0);
  assertMatch(final, new RegExp(`^COPY --from=build --chown=${user}:${user} /data /data$`, "m"));
  assertMatch(final, /^VOLUME \/data$/m);
  assertMatch(final, /^ENV XDG_DATA_HOME=\/data$/m);
  assertMatch(final, /^HEALTHCHECK [^\n]*\\\n {2}CMD \["\/usr\/local\/bin\/chatter", "health", /m);
  for (const { flags: { port } } of [COMMANDS.chat, COMMANDS.listing]) {
    assertMatch(final, new RegExp(`^EXPOSE .*\\b${port.default}\\b`, "m"));
  }
  // The Deno that it is compiled with is the one that is tested; no base is whatever is newest.
  const [, version] = /^version=(\S+)$/m.exec(await Deno.readTextFile(`${ROOT}.ci/run`)) ?? [];
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!);
  assertEquals(bases[0], `denoland/deno:debian-${version}`);
  assertEquals(bases.filter((base) => !/:[^:]+$/.test(base) || base.endsWith(":latest")), []);
});

const COMPOSE_FILES = ["compose.yaml", "compose.cluster.yaml"];

Deno.test("a linter has nothing to object to the compose files, and would have", async () => {
  const lint = (path: string) =>
    new DCLinter({
      // What is a matter of taste, and the taste is another here.
      rules: {
        "no-build-and-image": 0,
        "no-quotes-in-volumes": 0,
        "require-quotes-in-ports": 0,
        "service-keys-order": 0,
        "services-alphabetical-order": 0,
        "top-level-properties-order": 0,
      },
      quiet: false,
      debug: false,
      exclude: [],
    }).lintFiles([path], false).flatMap(({ messages }) =>
      messages.map(({ line, message }) => `${line}: ${message}`)
    );
  const folder = await Deno.makeTempDir();
  try {
    for (const file of COMPOSE_FILES) {
      assertEquals(lint(`${FOLDER}${file}`), []);
      const text = await Deno.readTextFile(`${FOLDER}${file}`);
      await Deno.writeTextFile(`${folder}/compose.yaml`, text.replace("read_only: true", "read_only: 7"));
      assertGreater(lint(`${folder}/compose.yaml`).length, 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

interface Compose {
  readonly services: {
    readonly [name: string]: {
      readonly image: string;
      readonly command?: readonly string[];
      readonly environment?: Record<string, string>;
      readonly volumes: readonly string[];
    };
  };
}

async function composeFile(file: string): Promise<Compose> {
  return parseYaml(await Deno.readTextFile(`${FOLDER}${file}`)) as Compose;
}

Deno.test("the compose files run commands and set variables that there are", async () => {
  const chats = ["chat-a", "chat-b", "chat-c"];
  const expected = [["chat", "listing"], chats.map(() => "chat")];
  for (const [i, file] of COMPOSE_FILES.entries()) {
    const own = Object.values((await composeFile(file)).services).filter(({ image }) => image === "chatter");
    const run = own.map(({ command }) => command?.join(" ") ?? "");
    assertEquals(run.toSorted(), expected[i]);
    for (const { command: [name = ""] = [], environment = {} } of own) {
      const flags = isCommandName(name) ? Object.entries(syntaxesOf(name)[0]!.flags) : [];
      const known = flags.map(([key, flag]) => variableName(key, flag));
      assertEquals(Object.keys(environment).filter((set) => !known.includes(set)), []);
      assertGreater(known.length, 0);
    }
  }
  assert(Object.hasOwn(config.tasks, "compile"));
});

Deno.test("the nodes of the compose file for a cluster are alike but for their names and the nearest NATS", async () => {
  const { services } = await composeFile("compose.cluster.yaml");
  const nodes = Object.entries(services).filter(([, { image }]) => image === "chatter");
  const names = nodes.map(([name]) => name);
  assertEquals(names, ["chat-a", "chat-b", "chat-c"]);
  for (const [name, { environment = {}, volumes }] of nodes) {
    const letter = name.at(-1);
    const { CHATTER_CLUSTER: servers = "", CHATTER_CLUSTER_NODE: node, ...same } = environment;
    assertEquals([node, volumes], [letter, [`${name}:/data`]]);
    assertMatch(servers, new RegExp(`^nats://chatter@nats-${letter}:4222,`));
    assertEquals(
      servers.replace("chatter@", "").split(",").toSorted(),
      ["a", "b", "c"].map((letter) => `nats://nats-${letter}:4222`),
    );
    const { CHATTER_CLUSTER: _, CHATTER_CLUSTER_NODE: __, ...first } = nodes[0]![1].environment ?? {};
    assertEquals(same, first);
  }
  const servers = Object.entries(services).filter(([, { image }]) => image.startsWith("nats:"));
  for (const [name, { environment, volumes }] of servers) {
    assertEquals(environment?.NATS_NAME, name);
    assertEquals(volumes, ["../nats/nats.conf:/etc/nats/nats.conf:ro", `${name}:/var/lib/nats`]);
  }
  assertEquals(servers.length, 3);
  const proxy = await Deno.readTextFile(`${FOLDER}Caddyfile.cluster`);
  assertMatch(proxy, new RegExp(`reverse_proxy ${names.map((name) => `${name}:5000`).join(" ")} \\{`));
});
