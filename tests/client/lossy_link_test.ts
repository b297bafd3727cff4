/**
 * Properties of the session against a fake server over a link that is cut anywhere: each text arrives exactly once,
 * and each message is emitted exactly once and in the server's order.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LossyLink } from "../support/lossy_link.ts";
import { runs } from "../support/property_runs.ts";

type Step =
  | { readonly do: "send" | "say" | "change" | "cut" | "open" | "lapse" }
  | { readonly do: "up" | "down"; readonly count: number }
  | { readonly do: "pass"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("up" as const, "down" as const),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("send" as const, "say" as const, "change" as const) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "open" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 2000 }) }),
  },
);
const lapse: fc.Arbitrary<Step> = fc.record({ do: fc.constant("lapse" as const) });

interface Play {
  readonly steps: readonly Step[];
  /** True if the session is let in before the first step. */
  readonly isInside: boolean;
}

const play = (step: fc.Arbitrary<Step>): fc.Arbitrary<Play> =>
  fc.record({ steps: fc.array(step, { maxLength: 60, size: "max" }), isInside: fc.boolean() });

/** Plays the steps, then heals the link; the user sends unsure drafts again. */
function run({ steps, isInside }: Play, isLive: boolean): LossyLink {
  const link = new LossyLink(isLive, () => 0.5);
  let count = 0;
  link.act(({ session, nowMs }) => session.join(nowMs, "alice"));
  if (isInside) {
    link.open();
    while (link.toServer(1) || link.toClient(1));
  }
  for (const step of steps) {
    switch (step.do) {
      case "send":
        link.act(({ session, nowMs }) => session.send(nowMs, 1000, `text ${++count}`));
        break;
      case "say":
        link.say(`bob ${++count}`);
        break;
      case "change":
        link.change(`changed ${++count}`);
        break;
      case "up":
        link.toServer(step.count);
        break;
      case "down":
        link.toClient(step.count);
        break;
      case "pass":
        link.pass(step.ms);
        break;
      default:
        link[step.do]();
    }
  }
  link.heal();
  for (let tries = 0; tries < 20; tries++) {
    const unsure = link.driver.eventsOf("unsent").map(({ draft }) => draft.nonce);
    if (unsure.length === 0) break;
    link.driver.events.splice(
      0,
      link.driver.events.length,
      ...link.driver.events.filter(({ type }) => type !== "unsent"),
    );
    for (const nonce of unsure) link.act(({ session, nowMs }) => session.settleDraft(nowMs, nonce, true));
    link.heal();
  }
  return link;
}

/** The messages at their first place, with their last text. */
function read({ driver }: LossyLink): [uuid: string, text: string][] {
  const shown = new Map<string, string>();
  const order: string[] = [];
  for (const event of driver.events) {
    if (event.type === "history") {
      for (const { uuid, text } of event.messages) {
        order.push(uuid);
        shown.set(uuid, text);
      }
    } else if (event.type === "message") {
      if (event.isNew) order.push(event.message.uuid);
      shown.set(event.message.uuid, event.message.text);
    }
  }
  return order.map((uuid) => [uuid, shown.get(uuid) ?? ""]);
}

/** Each message that was emitted or changed after the first page of the history. */
function emitted({ driver }: LossyLink): string[] {
  const start = driver.events.findIndex(({ type }) => type === "history");
  return driver.events.slice(start).flatMap((event) =>
    event.type === "message" ? [`${event.message.uuid}; ${event.message.text}`] : []
  );
}

function holds(play: Play, isLive: boolean): LossyLink {
  const { steps } = play;
  const link = run(play, isLive);
  const { driver, messages } = link;
  assertEquals(driver.session.phase, "live");
  assertEquals(read(link), messages.map(({ uuid, message }): [string, string] => [uuid, message]));
  const sent = steps.filter((step) => step.do === "send").length;
  const own = messages.filter(({ username }) => username === "alice").map(({ message }) => message);
  assertEquals([own.length, new Set(own).size], [sent, sent], "every text is there exactly once");
  const open = new Set(driver.nonces);
  for (const { draft } of driver.eventsOf("acknowledged")) open.delete(draft.nonce);
  assertEquals([...open], [], "every text is acknowledged");
  return link;
}

Deno.test("on a link that is cut anywhere every text arrives once, and every broadcast is emitted once and in order", () => {
  fc.assert(
    fc.property(play(step), (play) => {
      const link = holds(play, true);
      const broadcasts = link.log.filter((frame) => frame.startsWith("c2/MSG")).map((frame) =>
        frame.split("; ").slice(2).join("; ")
      );
      const events = emitted(link);
      assertEquals(events, broadcasts.slice(broadcasts.length - events.length));
      const [, ...later] = link.driver.eventsOf("entered").map(({ how }) => how);
      // A client that lost the answer to its CONNECT joins again after its session has lapsed.
      if (play.isInside) assertEquals(later.filter((how) => how !== "resumed"), []);
    }),
    runs(200),
  );
});

Deno.test("every text arrives once and every message is emitted once and in order where sessions lapse", () => {
  const any = fc.oneof({ weight: 9, arbitrary: step }, { weight: 1, arbitrary: lapse });
  fc.assert(fc.property(play(any), (play) => void holds(play, true)), runs(200));
});

Deno.test("every text arrives once and every message is emitted once and in order on a server of plain c2", () => {
  fc.assert(fc.property(play(step), (play) => void holds(play, false)), runs(200));
});
