/**
 * The permissions that the program has: that it needs each of them, and those that a command gives up, seen in a
 * process that had them all.
 *
 * @module
 */
import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { PROGRAM_FLAGS } from "../tools/run_deno.ts";
import { runProgram, type Variables } from "./support/program.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("a client of other people's servers keeps the network and nothing else", async () => {
  const program = `
    import { keepOnlyTheNetwork } from ${JSON.stringify(new URL("src/serving/permissions.ts", ROOT).href)};
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

const ALLOW_ENV = "--allow-env=";
/** The permissions of the program, each variable that it may read as one. */
const GRANTED = PROGRAM_FLAGS.filter((flag) => flag.startsWith("--allow-")).flatMap((flag) =>
  flag.startsWith(ALLOW_ENV) ? flag.slice(ALLOW_ENV.length).split(",") : [flag]
);

interface Need {
  readonly args: readonly string[];
  readonly variables?: Variables;
  /** What the program says without the permission. */
  readonly says: string;
}

const NO_PLACE = { CHATTER_KV: "" };

/** A line for each permission that cannot be run without it. */
const NEEDS: Readonly<Record<string, Need>> = {
  "--allow-net": { args: ["listing"], says: "Requires net access" },
  "--allow-read": { args: ["chat"], says: "Requires read access" },
  "--allow-write": {
    args: ["chat"],
    variables: { CHATTER_KV: "/nowhere/chat.db" },
    says: "Requires write access",
  },
  "--allow-sys=hostname": { args: ["chat", "--cluster", "nats://127.0.0.1:1"], says: "Requires sys access" },
  "CHATTER_*": { args: [], variables: { CHATTER_ROLE: "chat" }, says: '"CHATTER_ROLE"' },
  HOME: { args: ["chat"], variables: NO_PLACE, says: '"HOME"' },
  USERPROFILE: { args: ["chat"], variables: { ...NO_PLACE, HOME: "" }, says: '"USERPROFILE"' },
  XDG_DATA_HOME: { args: ["chat"], variables: NO_PLACE, says: '"XDG_DATA_HOME"' },
  USER: { args: ["client"], says: '"USER"' },
  TERM: { args: ["client"], says: '"TERM"' },
  DENO_DEPLOY: { args: ["chat"], says: '"DENO_DEPLOY"' },
  DENO_DEPLOYMENT_ID: { args: ["chat"], says: '"DENO_DEPLOYMENT_ID"' },
  WS_NO_BUFFER_UTIL: { args: ["chat", "--transport", "ws"], says: '"WS_NO_BUFFER_UTIL"' },
};
/** Variables that are read on Windows, or where there is no USER. */
const OF_WINDOWS = ["LOCALAPPDATA", "USERNAME"];

Deno.test("there is a line for each permission of the program that needs it", () => {
  assertEquals(GRANTED.toSorted(), [...Object.keys(NEEDS), ...OF_WINDOWS].toSorted());
});

for (const [permission, { args, variables, says }] of Object.entries(NEEDS)) {
  Deno.test(`the program cannot do without ${permission}`, async () => {
    const less = PROGRAM_FLAGS.filter((flag) => flag !== permission).map((flag) =>
      flag.startsWith(ALLOW_ENV)
        ? ALLOW_ENV + flag.slice(ALLOW_ENV.length).split(",").filter((name) => name !== permission).join(",")
        : flag
    );
    assertNotEquals(less, PROGRAM_FLAGS);
    const root = ROOT.pathname;
    const words = [
      Deno.execPath(),
      "run",
      "--quiet",
      `--config=${root}deno.json`,
      ...less,
      `${root}main.ts`,
      ...args,
    ];
    const around = { CHATTER_HOSTNAME: "127.0.0.1", CHATTER_PORT: "0", CHATTER_KV: ":memory:", ...variables };
    const { status, stderr } = await runProgram([], around, { words });
    assertEquals(status, 1, stderr);
    assertStringIncludes(stderr, says);
  });
}
