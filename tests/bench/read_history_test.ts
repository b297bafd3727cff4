/**
 * The judge of what the clients of a cluster read: it has nothing to say of a run that is right, and finds each kind
 * of damage.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ReadHistory, textOf } from "../../bench/cluster/read_history.ts";

const id = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`;
const frame = (n: number, client = "a") => `c2/MSG ${client}; 1; ${id(n)}; ${textOf(client, n)}`;

interface Run {
  /** What the two extended clients read, by position from 1 on. */
  readonly read?: readonly (readonly string[])[];
  readonly plain?: readonly string[];
  readonly acknowledged?: readonly (readonly [n: number, id: string])[];
  readonly history?: readonly number[];
}

const RIGHT: Required<Run> = {
  read: [[1, 2, 3].map((n) => frame(n)), [1, 2, 3].map((n) => frame(n))],
  plain: [2, 3].map((n) => frame(n)),
  acknowledged: [[1, id(1)], [3, id(3)]],
  history: [1, 2, 3],
};

function problemsOf(run: Run): string[] {
  const { read, plain, acknowledged, history } = { ...RIGHT, ...run };
  const judge = new ReadHistory();
  for (const [client, frames] of read.entries()) {
    for (const [i, frame] of frames.entries()) judge.read(`reader ${client}`, i + 1, frame);
  }
  const plainly = judge.readPlainly("plain");
  for (const frame of plain) plainly(frame);
  for (const [n, id] of acknowledged) judge.acknowledged(textOf("a", n), id);
  judge.readHistory("node", history.map((n) => ({ id: id(n), text: textOf("a", n) })));
  judge.conclude();
  return judge.problems;
}

Deno.test("a run in which everything is right has no problem", () => {
  assertEquals(problemsOf({}), []);
});

Deno.test("each damage is found", () => {
  const [one = "", two = "", three = ""] = RIGHT.read[0]!;
  const damages: [string, Run, RegExp][] = [
    [
      "two orders",
      { read: [[one, two, three], [one, three, two]] },
      /^reader 1 reads .* at 2, where others read/,
    ],
    ["lost for one reader", { read: [[one, two, three], [one, three]] }, /^reader 1 reads .* at 2/],
    ["twice", { read: [[one, two, three, one]] }, /^"a says 1" is at 1 and at 4$/],
    [
      "acknowledged and lost",
      { acknowledged: [[4, id(4)]] },
      /^"a says 4" was acknowledged, and no client read it$/,
    ],
    [
      "acknowledged as another",
      { acknowledged: [[1, id(9)]] },
      /^"a says 1" was acknowledged as .*9, and is/,
    ],
    ["acknowledged as two", { acknowledged: [[1, id(1)], [1, id(2)]] }, /is acknowledged as .*1 and .*2$/],
    [
      "a client's own order",
      { read: [[two, one, three]], plain: [], history: [2, 1, 3] },
      /^"a says 1" is after 2$/,
    ],
    [
      "a plain reader misses one",
      { plain: [one, three] },
      /^plain read .*3 right after .*1, which others did not$/,
    ],
    ["a plain reader reads one twice", { plain: [two, two] }, /^plain read .*2 right after .*2/],
    [
      "a plain reader reads what others do not",
      { plain: [frame(7)] },
      /^plain read .*7, and no other client did$/,
    ],
    [
      "history lacks one",
      { history: [1, 3] },
      /^the history of node has 2 messages, and 3 were broadcast; .* at 1$/,
    ],
    [
      "history lacks the newest",
      { history: [1, 2] },
      /has 2 messages, and 3 were broadcast; they differ at 2$/,
    ],
    [
      "history has one too many",
      { history: [1, 2, 3, 3] },
      /has 4 messages, and 3 were broadcast; they differ at 3$/,
    ],
  ];
  for (const [what, run, problem] of damages) assertMatch(problemsOf(run)[0] ?? "", problem, what);
});

Deno.test("a position that no client read is found", () => {
  const judge = new ReadHistory();
  judge.read("reader", 1, frame(1));
  judge.read("reader", 3, frame(2));
  judge.conclude();
  assertEquals(judge.problems, ["no client read position 2"]);
});
