/**
 * The units for systemd, judged by systemd-analyze, which needs no systemd that runs; skipped where it is not there.
 *
 * Nothing is started by them here.
 *
 * @module
 */
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { COMMANDS, variableName } from "../../src/cli/commands.ts";
import type { AnyFlag } from "../../src/cli/flag.ts";
import { PACKAGES, replaced } from "./proxy_program.ts";
import { toolPath } from "./tool_path.ts";

const ANALYZE = toolPath("systemd-analyze");
/** Tenths of the exposure that `systemd-analyze security` counts, of 100: it calls 1 to 4 safe. */
const EXPOSURE_MAX = 13;
/** Seconds that a stop of the program takes at most. */
const STOP_SECONDS = 5;

const ROLES = ["chat", "listing"] as const;

async function analyze(...args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(ANALYZE!, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, said: decoder.decode(stderr) + decoder.decode(stdout) };
}

function unit(role: string): Promise<string> {
  return Deno.readTextFile(`${PACKAGES}systemd/chatter-${role}.service`);
}

/** The units in a folder, with a program that is there in place of the one that is to be installed. */
async function withUnits(test: (path: (role: string) => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = (role: string) => `${folder}/chatter-${role}.service`;
    for (const role of ROLES) {
      const others = [[`/usr/local/bin/chatter ${role}`, `${Deno.execPath()} ${role}`]] as const;
      await Deno.writeTextFile(path(role), replaced(await unit(role), others));
    }
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ignore = ANALYZE === undefined;

Deno.test({
  name: "systemd has nothing to object to the units",
  ignore,
  fn: () =>
    withUnits(async (path) => {
      assertEquals(await analyze("verify", "--man=no", ...ROLES.map(path)), { code: 0, said: "" });
    }),
});

Deno.test({
  name: "systemd has nothing to object to what docs/deploy.md adds to a unit",
  ignore,
  fn: () =>
    withUnits(async (path) => {
      const guide = await Deno.readTextFile(`${PACKAGES}../docs/deploy.md`);
      const [[, dropIn] = []] = guide.matchAll(/^```ini\n([^`]+)^```$/gm);
      const folder = `${path("chat")}.d`;
      await Deno.mkdir(folder);
      const written = async (text: string) => {
        await Deno.writeTextFile(`${folder}/override.conf`, text);
        return await analyze("verify", "--man=no", path("chat"));
      };
      assertEquals(await written(dropIn!), { code: 0, said: "" });
      // It is read at all: something else is objected to.
      assertMatch((await written(`${dropIn}Nonsense=yes\n`)).said, /Unknown key (?:name )?'Nonsense'/);
    }),
});

Deno.test({
  name: "systemd has nothing to object to a unit with what a node of a cluster adds",
  ignore,
  fn: () =>
    withUnits(async (path) => {
      const folder = `${path("chat")}.d`;
      await Deno.mkdir(folder);
      const text = await Deno.readTextFile(`${PACKAGES}systemd/chatter-chat.service.d/cluster.conf`);
      const written = async (text: string) => {
        await Deno.writeTextFile(`${folder}/cluster.conf`, text);
        return await analyze("verify", "--man=no", path("chat"));
      };
      assertEquals(await written(text), { code: 0, said: "" });
      // With its lines for an authority of one's own too.
      assertEquals(await written(text.replaceAll(/^# (LoadCredential|Environment)/gm, "$1")), {
        code: 0,
        said: "",
      });
      assertMatch((await written(`${text}Nonsense=yes\n`)).said, /Unknown key (?:name )?'Nonsense'/);
      const known = Object.entries<AnyFlag>(COMMANDS.chat.flags).map(([key, flag]) =>
        variableName(key, flag)
      );
      const set = [...text.matchAll(/\b(CHATTER_[A-Z_]+)=/g)].map(([, name]) => name!);
      assertEquals(set.filter((name) => !known.includes(name)), []);
    }),
});

Deno.test({
  name: "the units leave little open",
  ignore,
  fn: () =>
    withUnits(async (path) => {
      for (const role of ROLES) {
        const threshold = `--threshold=${EXPOSURE_MAX}`;
        const { code, said } = await analyze(
          "security",
          "--offline=yes",
          "--no-pager",
          threshold,
          path(role),
        );
        assertEquals(code, 0, said);
      }
    }),
});

for (const role of ROLES) {
  Deno.test(`the unit of a ${role} runs that role, sets what there is, and waits for its stop`, async () => {
    const text = await unit(role);
    assertMatch(text, new RegExp(`^ExecStart=/usr/local/bin/chatter ${role}$`, "m"));
    assertMatch(text, new RegExp(`^StateDirectory=chatter-${role}$`, "m"));
    const known = Object.entries(COMMANDS[role].flags).map(([key, flag]) => variableName(key, flag));
    const set = [...text.matchAll(/\b(CHATTER_[A-Z_]+)=/g)].map(([, name]) => name!);
    assertGreater(set.length, 0);
    assertEquals(set.filter((name) => !known.includes(name)), []);
    assertGreater(Number(/^TimeoutStopSec=([0-9]+)$/m.exec(text)?.[1]), STOP_SECONDS);
  });
}
