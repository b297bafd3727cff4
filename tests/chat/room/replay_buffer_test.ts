/**
 * The replay buffer: numbered broadcasts, what is dropped, and positions of this run and of earlier ones, PROTOCOL.md
 * §12.3.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Broadcast,
  REPLAY_BROADCASTS_MAX,
  REPLAY_BUFFER_MAX,
  ReplayBuffer,
  type ReplayBufferOptions,
  RESERVED_POSITIONS,
} from "../../../chat/room/replay_buffer.ts";
import { runs } from "../../support/property_runs.ts";

const REPLAY_BYTES_MAX = 100_000;

function replayBuffer(options: Partial<ReplayBufferOptions> = {}): ReplayBuffer {
  return new ReplayBuffer({
    reservedFrom: 0,
    replayBytesMax: () => REPLAY_BYTES_MAX,
    earlier: [],
    earlierFrom: 0,
    reserve: () => {},
    ...options,
  });
}

function broadcastOf(text: string): Broadcast {
  return { bytes: new TextEncoder().encode(text).length, content: text };
}

function fill(replayBuffer: ReplayBuffer, count: number, text = (n: number) => `${n}`): void {
  for (let n = 1; n <= count; n++) replayBuffer.push(broadcastOf(text(n)));
}

function after(replayBuffer: ReplayBuffer, position: number): string[] | undefined {
  const missed = replayBuffer.after(position);
  return missed?.frames.slice(missed.from).map(({ text }) => text);
}

Deno.test("what comes after a position is everything from there to the newest, and nothing after the newest", () => {
  const held = replayBuffer();
  const start = held.position;
  assertEquals(after(held, start), []);
  fill(held, 3);
  assertEquals(held.position, start + 3);
  assertEquals(after(held, start), ["1", "2", "3"]);
  assertEquals(after(held, start + 2), ["3"]);
  assertEquals(after(held, start + 3), []);
  assertEquals(after(held, start + 4), undefined, "that is not told yet");
  assertEquals(after(held, start - 1), undefined, "nothing has that position in this run");
});

Deno.test("as many broadcasts are held as the limit says, and not one more", () => {
  const held = replayBuffer();
  const start = held.position;
  fill(held, REPLAY_BUFFER_MAX, () => "x");
  assertEquals(held.size, REPLAY_BUFFER_MAX);
  assertEquals(after(held, start)?.length, REPLAY_BUFFER_MAX);
  held.push(broadcastOf("x"));
  assertEquals(held.size, REPLAY_BUFFER_MAX);
  assertEquals(after(held, start), undefined);
  assertEquals(after(held, start + 1)?.length, REPLAY_BUFFER_MAX);
  fill(held, 3 * REPLAY_BUFFER_MAX, (n) => `${n}`);
  assertEquals(after(held, held.position - 2), [
    `${3 * REPLAY_BUFFER_MAX - 1}`,
    `${3 * REPLAY_BUFFER_MAX}`,
  ]);
  assertEquals(held.heldFrom, held.position - REPLAY_BUFFER_MAX + 1);
});

Deno.test("as many may be replayed as the limits of count and of bytes say, and not one more", () => {
  const held = replayBuffer();
  const start = held.position;
  fill(held, REPLAY_BROADCASTS_MAX, () => "x");
  assertEquals(held.refusal(start, 0), undefined);
  held.push(broadcastOf("x"));
  assertEquals(held.refusal(start, 0), "RESUME_TOO_MUCH");
  assertEquals(held.refusal(start + 1, 0), undefined);

  const large = replayBuffer();
  large.push(broadcastOf("x".repeat(REPLAY_BYTES_MAX)));
  assertEquals(large.refusal(large.position - 1, 0), undefined);
  large.push(broadcastOf("é"));
  assertEquals(large.refusal(large.position - 2, 0), "RESUME_TOO_MUCH");
  assertEquals(large.refusal(large.position - 1, 0), undefined);
  assertEquals(large.refusal(large.position, 0), undefined);
});

Deno.test("what may be replayed now is still held after the largest batch that there can be", () => {
  const held = replayBuffer();
  const start = held.position;
  held.push(broadcastOf("x".repeat(REPLAY_BYTES_MAX)));
  assertEquals(held.refusal(start, 0), undefined);
  // 500 messages with 262,144 characters of three bytes, under names of the greatest length.
  for (let n = 0; n < 500; n++) held.push(broadcastOf("語".repeat(524) + "x".repeat(200)));
  assertEquals(after(held, start)?.length, 501);
});

Deno.test("as much may be replayed as its present texts say, however short they were", () => {
  const held = replayBuffer();
  const start = held.position;
  const version = (text: string): Broadcast => ({
    bytes: text.length,
    content: { uuid: "u", username: "alice", timestamp: "1", text },
  });
  for (let n = 0; n < 9; n++) held.push(version("x"));
  held.push(version("x".repeat(REPLAY_BYTES_MAX / 10)));
  assertEquals(held.refusal(start, 0), undefined);
  held.push(version("x".repeat(REPLAY_BYTES_MAX / 10)));
  assertEquals(held.refusal(start, 0), "RESUME_TOO_MUCH");
  assertEquals(held.refusal(start + 1, 0), undefined);
});

Deno.test("nothing up to a session's first position is replayed, in this run or from an earlier one", () => {
  const before = 5 * RESERVED_POSITIONS + REPLAY_BUFFER_MAX;
  const earlier = [1, 4, 5].map((n) => ({ position: before + n, broadcast: broadcastOf(`old ${n}`) }));
  const held = replayBuffer({ reservedFrom: 7 * RESERVED_POSITIONS, earlier, earlierFrom: before + 1 });
  const start = held.position;
  fill(held, 2);
  for (const position of [0, before, before + 3, start - 3, start - 2]) {
    assertEquals(held.refusal(position, before + 4), "RESUME_POSITION", `${position}`);
  }
  for (const position of [before + 4, before + 5, before + 90, start - 1, start, start + 2]) {
    assertEquals(held.refusal(position, before + 4), undefined, `${position}`);
  }
  assertEquals(held.refusal(start, start + 1), "RESUME_POSITION");
  assertEquals(held.refusal(start + 1, start + 1), undefined);
  assertEquals(held.refusal(start + 3, 0), "RESUME_POSITION", "that is not broadcast yet");
});

Deno.test("bytes are bounded, whatever the count", () => {
  const held = replayBuffer();
  fill(held, 100, () => "x".repeat(100_000));
  assert(held.size < 20, `${held.size}`);
  assertEquals(after(held, held.position - 1)?.length, 1);
});

Deno.test("positions are reserved long before they are used, and by the block", () => {
  const reserved: number[] = [];
  const held = replayBuffer({ reservedFrom: RESERVED_POSITIONS, reserve: (upTo) => reserved.push(upTo) });
  const frame = broadcastOf("x");
  const half = RESERVED_POSITIONS + RESERVED_POSITIONS / 2;
  while (held.position < half) held.push(frame);
  assertEquals(reserved, []);
  held.push(frame);
  assertEquals(reserved, [3 * RESERVED_POSITIONS]);
});

Deno.test("messages of an earlier run follow a position of that run, and then come those of this one", () => {
  const before = 5 * RESERVED_POSITIONS + REPLAY_BUFFER_MAX;
  const earlier = [1, 4, 5].map((n) => ({ position: before + n, broadcast: broadcastOf(`old ${n}`) }));
  const held = replayBuffer({ reservedFrom: 7 * RESERVED_POSITIONS, earlier, earlierFrom: before + 1 });
  fill(held, 2);
  assertEquals(after(held, before), ["old 1", "old 4", "old 5", "1", "2"]);
  assertEquals(after(held, before + 1), ["old 4", "old 5", "1", "2"]);
  assertEquals(after(held, before + 3), ["old 4", "old 5", "1", "2"], "2 and 3 were no messages");
  assertEquals(after(held, before + 5), ["1", "2"]);
  assertEquals(after(held, before + 90), ["1", "2"], "told, and lost with the process");
  assertEquals(after(held, before - 1), undefined, "what lies between is not known");
  // With new positions, they end where this run begins.
  assertEquals(after(held, held.position - 4), ["old 4", "old 5", "1", "2"]);
  assertEquals(after(held, held.position - 5), ["old 1", "old 4", "old 5", "1", "2"]);
  assertEquals(after(held, held.position - 6), undefined);
});

Deno.test("a position in the middle of another run's replay is refused: it cannot be told what it means", () => {
  const reservedFrom = 5 * RESERVED_POSITIONS;
  const earlier = [{ position: reservedFrom + REPLAY_BUFFER_MAX + 1, broadcast: broadcastOf("old") }];
  const held = replayBuffer({ reservedFrom: 6 * RESERVED_POSITIONS, earlier, earlierFrom: 0 });
  assertEquals(after(held, reservedFrom + REPLAY_BUFFER_MAX - 1), undefined);
  assertEquals(after(held, reservedFrom + REPLAY_BUFFER_MAX), ["old"]);
  assertEquals([6 * RESERVED_POSITIONS - 1, held.position].map((at) => held.isOfThisRun(at)), [false, true]);
});

Deno.test("what earlier runs told is let go of like the rest, and then no position of theirs is known", () => {
  const earlier = [1, 2, 3].map((n) => ({ position: 20_000 + n, broadcast: broadcastOf(`old ${n}`) }));
  const held = replayBuffer({ reservedFrom: RESERVED_POSITIONS, earlier, earlierFrom: 0 });
  assertEquals(held.heldFrom, 20_001);
  fill(held, REPLAY_BUFFER_MAX - 2, () => "x");
  assertEquals(after(held, 20_000), undefined);
  assertEquals(after(held, 20_001)?.length, REPLAY_BUFFER_MAX);
  assertEquals(held.heldFrom, 20_002);
  fill(held, 2, () => "x");
  assertEquals(after(held, 20_003)?.length, REPLAY_BUFFER_MAX);
  held.push(broadcastOf("x"));
  assertEquals(after(held, 20_003), undefined);
});

Deno.test("of more than is held, the newest of earlier runs is, and a position before it is not known", () => {
  const earlier = Array.from({ length: REPLAY_BUFFER_MAX + 2 }, (_, n) => {
    return { position: 20_001 + n, broadcast: broadcastOf("x") };
  });
  const held = replayBuffer({ reservedFrom: RESERVED_POSITIONS, earlier, earlierFrom: 0 });
  assertEquals(held.heldFrom, 20_003);
  assertEquals(after(held, 20_001), undefined);
  assertEquals(after(held, 20_002)?.length, REPLAY_BUFFER_MAX);
});

Deno.test("whoever counts and comes back has each broadcast once and in order, over any number of runs", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("message" as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("other" as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), count: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      let reservedFrom = 0;
      let held = replayBuffer({ reservedFrom });
      /** All broadcasts, with whether a restart keeps each, and its position. */
      const pushed: { text: string; isMessage: boolean; position: number }[] = [];
      const read: string[] = [];
      /** Whether its resume was refused. */
      let isLost = false;
      let next = 0;
      let position = held.position;
      for (const step of steps) {
        if (step.do === "message" || step.do === "other") {
          const text = `${step.do} ${next++}`;
          held.push(broadcastOf(text));
          pushed.push({ text, isMessage: step.do === "message", position: held.position });
        } else if (step.do === "restart") {
          reservedFrom += RESERVED_POSITIONS;
          held = replayBuffer({
            reservedFrom,
            earlier: pushed.filter(({ isMessage }) => isMessage)
              .map(({ text, position }) => ({ position, broadcast: broadcastOf(text) })),
            earlierFrom: 0,
          });
          // Broadcasts that are no messages are not stored.
          for (let i = pushed.length - 1; i >= 0; i--) if (!pushed[i]!.isMessage) pushed.splice(i, 1);
        } else {
          const missed = after(held, position);
          if (missed === undefined) {
            isLost = true;
            break;
          }
          position = held.position - missed.length;
          for (const text of missed.slice(0, step.count)) {
            read.push(text);
            position++;
          }
        }
      }
      const messages = read.filter((text) => text.startsWith("message"));
      const numbers = messages.map((text) => Number(text.slice("message ".length)));
      assertEquals(numbers, numbers.toSorted((a, b) => a - b));
      assertEquals(new Set(read).size, read.length, "none twice");
      if (isLost || messages.length === 0) return;
      const last = messages.at(-1)!;
      const upTo = pushed.filter(({ isMessage }) => isMessage).map(({ text }) => text);
      assertEquals(messages, upTo.slice(0, upTo.indexOf(last) + 1), "none missing");
    }),
    runs(300),
  );
});

Deno.test("what a session missed is counted to the broadcast, and for a position of an earlier run as all that is held", () => {
  const held = replayBuffer({ reservedFrom: RESERVED_POSITIONS });
  fill(held, 5);
  assertEquals(held.missedAfter(held.position), 0);
  assertEquals(held.missedAfter(held.position - 2), 2);
  assertEquals(held.missedAfter(held.position + 1), 0);
  assertEquals(held.missedAfter(7), 5);
});

Deno.test("sessions that missed more or less share their frames, which are made a few times and not for each", () => {
  const held = replayBuffer();
  const start = held.position;
  fill(held, 1000);
  const arrays = new Set<unknown>();
  for (const missed of [1000, 999, 1]) arrays.add(held.after(start + 1000 - missed)!.frames);
  assertEquals(arrays.size, 1);
  fill(held, 1000);
  arrays.clear();
  for (let missed = 1; missed <= 2000; missed++) {
    arrays.add(held.after(start + 2000 - missed)!.frames);
    assertEquals(after(held, start + 2000 - missed)?.[0], `${(2000 - missed) % 1000 + 1}`);
  }
  assertEquals(arrays.size, 12, "of 1, 2, 4 and so on to 2000");
});
