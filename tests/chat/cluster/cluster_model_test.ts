/**
 * A cluster of nodes against a model of its promises, in virtual time: nodes crash, freeze and come back, the log delays
 * and loses answers, the wire drops, doubles and reorders. Nothing acknowledged is lost, doubled or out of order.
 *
 * @module
 */
import { assertEquals, assertGreater, assertLess, assertNotEquals } from "@std/assert";
import { Member, READ_MAX } from "../../../chat/cluster/member.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import { runs } from "../../support/property_runs.ts";
import { inTempFolder } from "../../support/temp_folder.ts";
import { logUnfencedFor, MemoryLog, UnfencedLog } from "./memory_log.ts";
import { type ClusterCode, LIMITS, ModelCluster, nothingSeen } from "./model_cluster.ts";
import { type Mistake, mutatedCode } from "./mutated_code.ts";

const CODE: ClusterCode = { Member, Replica, READ_MAX };

Deno.test("a cluster keeps its promises whatever becomes of nodes, log and wire", () => {
  const total = nothingSeen();
  for (let seed = 1; seed <= runs(3).numRuns; seed++) {
    const cluster = new ModelCluster(seed, CODE);
    try {
      cluster.run(3, 60_000);
    } catch (error) {
      throw new Error(`seed ${seed} at ${cluster.nowMs} ms`, { cause: error });
    }
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += cluster.seen[key];
  }
  for (const [what, count] of Object.entries(total)) assertGreater(count, 5, what);
});

Deno.test("a leader that is frozen has a successor within --cluster-takeover and a quarter, a look and a beat", () => {
  for (let seed = 1; seed <= 30; seed++) {
    assertLess(new ModelCluster(seed, CODE).pauseAfterFreeze(3), LIMITS.takeoverMs * 1.25 + 400);
  }
});

/** A seed whose run breaks a promise: `first` if that one does, else the least. */
function brokenSeed(
  code: ClusterCode,
  { first = 1, seeds = 40, logOf = () => new MemoryLog() } = {},
): number | undefined {
  for (const seed of new Set([first, ...Array.from({ length: seeds }, (_, i) => i + 1)])) {
    try {
      new ModelCluster(seed, code, logOf()).run(3, 30_000);
    } catch {
      return seed;
    }
  }
  return undefined;
}

Deno.test("the model finds a log without a fence", () => {
  assertNotEquals(brokenSeed(CODE, { logOf: () => new UnfencedLog() }), undefined);
});

/** A mistake, and the seed that finds it soonest if that is not seed 1: it is tried first, which saves the runs before it. */
interface FoundMistake extends Mistake {
  readonly first?: number;
}

const MISTAKES: Readonly<Record<string, FoundMistake>> = {
  "two candidates with one id": {
    file: "member.ts",
    from: "`${incarnation}.${epoch + 1}.lead.${applied}`",
    to: "`${epoch + 1}.lead.${applied}`",
    first: 11,
  },
  "an outcome that is unknown taken for stored": {
    file: "member.ts",
    from: `case "stored":`,
    to: `case "unknown": case "stored":`,
    first: 3,
  },
  "a leader that is not thrown away": {
    file: "member.ts",
    from: "    this.#leader = undefined;\n    this.#isStanding = false;",
    to: "    this.#isStanding = false;",
  },
  "a leader that goes on after another program's record has taken its number": {
    file: "member.ts",
    from: "this.#append = this.#leader = undefined;",
    to: "this.#append = undefined;",
    first: 10,
  },
  "records applied out of order": {
    file: "member.ts",
    from: "const next = this.#replica.applied + 1;\n      const bytes",
    to: "const next = Math.max(this.#replica.applied + 1, ...this.#ahead.keys());\n      const bytes",
  },
  "inputs taken twice": {
    file: "inputs.ts",
    from: "inputs.slice(taken + 1 - first)",
    to: "inputs",
  },
  "a new leader that does not know what was decided": {
    file: "replica.ts",
    from: "this.#through.set(node, number)",
    to: "void [node, number]",
    first: 3,
  },
  "a leader that decides on the replica itself": {
    file: "membership.ts",
    from: "this.roster.copy()",
    to: "this.roster",
    first: 6,
  },
  "a checkpoint that forgets which inputs were decided": {
    file: "replica.ts",
    from: "new Map(checkpoint?.through)",
    to: "new Map()",
    first: 8,
  },
  "a checkpoint that forgets the tokens of sessions": {
    file: "membership.ts",
    from: "membership.#put(session);",
    to: "membership.#put({ ...session, tokens: [] });",
  },
  "a connection that goes on after its end": {
    file: "leader.ts",
    from: "this.#members.isEnded(origin)",
    to: "false",
  },
  "a session taken over by a connection that its client has left": {
    file: "leader.ts",
    from: "this.#isOvertaken(placed)",
    to: "false",
    first: 7,
  },
  "a session taken over by such a connection after a retry": {
    file: "member.ts",
    from: "session?.tokens[0] ?? input.token",
    to: "session?.tokens.includes(input.token) ? this.#options.incarnation : input.token",
    first: 35,
  },
  "an outcome that is delivered before its record is in the log": {
    file: "member.ts",
    from: "return [this.#toAppend(this.#append)];",
    to: "const append = this.#toAppend(this.#append);\n    this.#keepAhead(at, bytes);\n" +
      "    return [append, ...this.#applyAhead(this.#progressMs)];",
    first: 19,
  },
};

for (const [what, { first = 1, ...mistake }] of Object.entries(MISTAKES)) {
  Deno.test(`the model finds ${what}`, () =>
    inTempFolder(async (folder) => {
      assertNotEquals(brokenSeed(await mutatedCode(folder, mistake), { first }), undefined);
    }));
}

/** Mistakes that the fence makes harmless; without it for the ids with `unfenced` in them, the model finds each. */
const FENCED: Readonly<Record<string, FoundMistake & { readonly unfenced: string }>> = {
  "a repeated append under a new id": {
    file: "member.ts",
    from: "effects.push(this.#toAppend(this.#append), ...this.#read());",
    to: "this.#append = { ...this.#append, id: `${this.#append.id}.again` };\n" +
      "      effects.push(this.#toAppend(this.#append), ...this.#read());",
    unfenced: ".again",
    first: 36,
  },
  "a candidate that does not read to the end": {
    file: "member.ts",
    from: "this.#isStanding = true;\n      effects.push(...this.#read());",
    to: "effects.push(...this.#stand(nowMs));",
    unfenced: ".lead.",
    first: 5,
  },
};

for (const [what, { unfenced, first = 1, ...mistake }] of Object.entries(FENCED)) {
  Deno.test(`no promise is broken by ${what}, which the fence refuses`, () =>
    inTempFolder(async (folder) => {
      const seeds = runs(1).numRuns;
      assertEquals(brokenSeed(await mutatedCode(folder, mistake), { first, seeds }), undefined);
    }));

  Deno.test(`the model finds ${what}, if the fence lets it pass`, () =>
    inTempFolder(async (folder) => {
      const code = await mutatedCode(folder, mistake);
      assertNotEquals(brokenSeed(code, { first, logOf: () => logUnfencedFor(unfenced) }), undefined);
    }));
}
