/**
 * Samples of a profile to stages of a message's way.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type CpuProfile, STAGES, stagesOf } from "../../bench/comparison/stages.ts";

/** Files of the library and the platform. */
const FOREIGN = ["net.ts", "websocket.js", "receiver.js", "writable.js", "01_websocket.js"];

/** A profile whose stacks are given from the bottom on as `file function`, a millisecond each. */
function profileOf(stacks: readonly (readonly string[])[]): CpuProfile {
  const nodes = [{ id: 1, callFrame: { functionName: "(root)", url: "" }, children: [] as number[] }];
  const samples = stacks.map((stack) => {
    let parent = nodes[0]!;
    for (const frame of stack) {
      const [url, functionName] = /^\(|^writeBuffer/.test(frame) ? ["", frame] : frame.split(" ");
      const node = {
        id: nodes.length + 1,
        callFrame: { functionName: functionName!, url: `file:///a/${url}` },
        children: [],
      };
      parent.children.push(node.id);
      nodes.push(node);
      parent = node;
    }
    return parent.id;
  });
  return { nodes, samples, timeDeltas: samples.map(() => 1000) };
}

Deno.test("a sample belongs to the nearest function that begins a stage", () => {
  const sequencer = ["core.js tick", "sequencer.ts #run"];
  const profile = profileOf([
    ["net.ts onStreamRead", "writable.js Writable.write", "receiver.js startLoop"],
    ["net.ts onStreamRead", "receiver.js startLoop", "session.ts #readText", "codec.ts decodeClientFrame"],
    [...sequencer, "teller.ts send", "effects.ts effectsOf"],
    [...sequencer, "fanout.ts flush", "write_batch.ts drain"],
    [...sequencer, "fanout.ts flush", "writable.js Writable.write", "writeBuffer"],
    ["core.js tick", "(garbage collector)"],
    sequencer,
    ["core.js tick"],
    [...sequencer, "sequencer.ts #decideAll", "sequencer.ts #store"],
    [...sequencer, "sequencer.ts #decideAll", "room.ts decide"],
  ]);
  assertEquals(stagesOf(profile, 1), [
    ["read", 1000],
    ["decode", 1000],
    ["queue", 1000],
    ["decide", 1000],
    ["commit", 1000],
    ["encode", 2000],
    ["write", 1000],
    ["event loop", 1000],
    ["garbage", 1000],
  ]);
});

Deno.test("each function of the server that begins a stage exists by that name", async () => {
  const sources = new Map<string, string>();
  for (const folder of ["delivery", "gateway", "order", "room", "sockets"]) {
    const path = new URL(`../../chat/${folder}/`, import.meta.url);
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (isFile) sources.set(name, await Deno.readTextFile(new URL(name, path)));
    }
  }
  const missing = STAGES.flatMap(([, beginnings]) => beginnings).filter((beginning) => {
    const [file = "", name = ""] = beginning.split(" ");
    const definition = new RegExp(`^ *(async |function |export )*${name}(\\(|<| = )`, "m");
    return !FOREIGN.includes(file) && !definition.test(sources.get(file) ?? "");
  });
  assertEquals(missing, []);
});

Deno.test("only the time up to the last decision counts, and no more of it than is asked for", () => {
  const decide = ["sequencer.ts #decideAll"];
  const profile = profileOf([["a.js start"], decide, ["b.js wait"], decide, ["c.js stop"]]);
  assertEquals(stagesOf(profile, 0.003), [["decide", 2000], ["event loop", 1000]]);
  assertEquals(stagesOf(profile, 0.0015), [["decide", 1000], ["event loop", 500]]);
});
