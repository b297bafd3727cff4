/**
 * Assigns each sample of a V8 profile to a stage of a message's way: the stage of the nearest function on the stack
 * that begins one, by name and file. Pure.
 *
 * @module
 */

/** The output of `deno run --cpu-prof`, as far as it is needed here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Functions of the library and the platform that begin a stage; the library reads frames inside of a stream's write. */
const READS = [
  "net.ts onStreamRead",
  "websocket.js socketOnData",
  "receiver.js _write",
  "receiver.js startLoop",
];
const WRITES = [
  ...["writable.js Writable.write", "writable.js _write", "writable.js writeOrBuffer"],
  ...["net.ts Socket._writeGeneric", "01_websocket.js send"],
];

/** The stages in order, each with the functions (`file function`) that begin it. */
export const STAGES: readonly (readonly [stage: string, beginnings: readonly string[]])[] = [
  ["read", ["connection_ws.ts #receive", "connection_serve.ts socket.onmessage", ...READS]],
  ["decode", ["session.ts #readText"]],
  ["queue", ["sequencer.ts submit", "sequencer.ts #run"]],
  ["decide", ["sequencer.ts #decideAll", "sequencer.ts #settle"]],
  ["commit", ["sequencer.ts #store"]],
  ["encode", ["teller.ts send", "write_batch.ts drain", "frame.ts toFrame"]],
  ["fan-out", ["fanout.ts flush"]],
  ["write", WRITES],
];

/** Samples without a function of ours on the stack, by V8's name. */
const OUTSIDE: Readonly<Record<string, string>> = {
  "(garbage collector)": "garbage",
  "(idle)": "outside of V8",
  "(program)": "outside of V8",
};

/** Writes of the library or the platform outside the stages above. */
const OTHER = "event loop";
/** Files that handle socket events; without a stage their samples count as reading. */
const READING = ["receiver.js", "fair_reads.ts", "stream_base_commons.ts", "connection_ws.ts"];

/** Microseconds per stage in the last `seconds` before the last message was decided. */
export function stagesOf(profile: CpuProfile, seconds: number): [stage: string, us: number][] {
  const stageOfNode = stagesOfNodes(profile);
  const { samples, timeDeltas } = profile;
  const last = samples.findLastIndex((node) => stageOfNode.get(node) === "decide");
  const sums = new Map<string, number>();
  let left = seconds * 1e6;
  for (let i = last; i >= 0 && left > 0; i--) {
    const us = Math.min(timeDeltas[i]!, left);
    const stage = stageOfNode.get(samples[i]!) ?? OTHER;
    sums.set(stage, (sums.get(stage) ?? 0) + us);
    left -= us;
  }
  const order = [...STAGES.map(([stage]) => stage), OTHER, ...new Set(Object.values(OUTSIDE))];
  return order.flatMap((stage) => sums.has(stage) ? [[stage, sums.get(stage)!]] : []);
}

function stagesOfNodes({ nodes }: CpuProfile): Map<number, string> {
  const beginnings = new Map(STAGES.flatMap(([stage, all]) => all.map((one) => [one, stage])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, string>();
  const visit = (id: number, above: string) => {
    const { callFrame: { functionName, url }, children = [] } = byId.get(id)!;
    const file = url.slice(url.lastIndexOf("/") + 1);
    const stage = OUTSIDE[functionName] ?? beginnings.get(`${file} ${functionName}`) ??
      (above === OTHER && READING.includes(file) ? "read" : above);
    stages.set(id, stage);
    for (const child of children) visit(child, stage);
  };
  // The first node is the root.
  if (nodes[0] !== undefined) visit(nodes[0].id, OTHER);
  return stages;
}
