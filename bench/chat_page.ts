/**
 * Measures the longest task of the chat page's main thread in each round of what a user does there: scroll, type, jump,
 * filter people. A thousand people are in the room, with 10,000 messages, and a headless browser is slowed to a quarter.
 * It prints milliseconds of the thread's own CPU. The browser slows by waiting, which a busy machine makes longer: there
 * `--slow 1` compares two commits, and four times its figures are nearer to an idle machine's.
 *
 * ```sh
 * deno run --allow-all bench/chat_page.ts [--rounds 3] [--slow 4] [--people 1000] [--messages 10000]
 *   [--only wheel,typing] [--parts] [--keep FILE]
 * ```
 *
 * `--parts` prints what the longest task consists of, and `--keep` writes the trace of the last measurement, for the
 * browser's own tools.
 *
 * @module
 */
// What runs in the page is written here as functions, which need the page's types.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import type { Page } from "puppeteer-core";
import { withBrowser } from "../tests/support/browser.ts";
import { ChatClient } from "../tests/support/chat_client.ts";
import { ChatPage } from "../tests/support/chat_page.ts";
import { startTestChat } from "../tests/support/chat_server.ts";
import { names, number, optionsOrEnd } from "./comparison/options.ts";

/** What the user does, in the order in which it is measured. */
const SCENARIOS = [
  ...["wheel", "fast wheel", "PageUp held", "scroll bar"] as const,
  ...["50 messages/s at the end", "50 messages/s to a reader", "a message now and then"] as const,
  ...["to the newest", "to a hit"] as const,
  ...["typing", "typing mentions", "typing while others write"] as const,
  ...["filter of people", "arrivals", "a dialog"] as const,
];
const {
  rounds: ROUNDS,
  slow: SLOW,
  people: PEOPLE,
  messages: MESSAGES,
  only: ONLY,
  parts: IS_IN_PARTS,
  keep,
} = optionsOrEnd("chat_page", () => {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      ...{ rounds: text, slow: text, people: text, messages: text, only: text, keep: text },
      parts: { type: "boolean" },
    },
  });
  return {
    rounds: number("rounds", values.rounds, 3, { min: 1, max: 100 }),
    slow: number("slow", values.slow, 4, { min: 1, max: 100 }),
    people: number("people", values.people, 1000, { min: 10, max: 10_000 }),
    messages: number("messages", values.messages, 10_000, { min: 500, max: 100_000 }),
    only: names("only", values.only, SCENARIOS, SCENARIOS),
    parts: values.parts ?? false,
    keep: values.keep,
  };
});
/** Those of the people who write. */
const TALKERS = 8;
/** People who join at once. */
const JOINING = 50;

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  /** Microseconds of the clock, and of the thread's CPU. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
}

interface Scenario {
  readonly before?: () => Promise<unknown>;
  readonly act: () => Promise<unknown>;
}

/** The tasks of the page's main thread while `act` runs, the longest first. */
async function tasksOf(page: Page, act: () => Promise<unknown>) {
  const categories = ["-*", "devtools.timeline", "disabled-by-default-devtools.timeline", "cc"];
  if (IS_IN_PARTS) categories.push("v8", "blink");
  await page.tracing.start({ categories });
  await act();
  await rests(page);
  const trace = await page.tracing.stop();
  if (keep !== undefined) await Deno.writeFile(keep, trace!);
  const { traceEvents } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: TraceEvent[] };
  const frame = traceEvents.find(({ name }) => name === "FireAnimationFrame");
  const own = traceEvents.filter(({ ph, pid, tid }) => ph === "X" && pid === frame?.pid && tid === frame.tid)
    .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  return own.filter(({ name }) => name === "RunTask").map((task) => {
    const parts = partsOf(task, own);
    // Another thread works meanwhile, and a slowed browser counts the wait.
    const waited = parts.get("LayerTreeHost::WaitForCommitCompletion") ?? 0;
    return { ms: (task.tdur ?? 0) / 1000 - waited, parts };
  }).sort((a, b) => b.ms - a.ms);
}

/** Milliseconds of CPU by the name of the event, without those inside of it. `events` are in order of time. */
function partsOf(task: TraceEvent, events: readonly TraceEvent[]): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  const open: TraceEvent[] = [];
  const add = ({ name }: TraceEvent, us: number) => parts.set(name, (parts.get(name) ?? 0) + us / 1000);
  const endsBefore = ({ ts, dur = 0 }: TraceEvent, time: number) => ts + dur <= time;
  for (const event of events.slice(events.indexOf(task))) {
    if (endsBefore(task, event.ts)) break;
    while (open.length > 0 && endsBefore(open.at(-1)!, event.ts)) open.pop();
    const around = open.at(-1);
    add(event, event.tdur ?? 0);
    if (around !== undefined) add(around, -(event.tdur ?? 0));
    open.push(event);
  }
  return parts;
}

/** Waits until the view did not move for ten frames. */
function rests(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const scroller = document.querySelector("#scroller")!;
    for (let still = 0, last = NaN; still < 10; last = scroller.scrollTop) {
      await new Promise(requestAnimationFrame);
      still = scroller.scrollTop === last ? still + 1 : 0;
    }
  });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function repeat(count: number, act: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await act(n);
}

/** The people of the room beside Alice, who has the page. */
class Crowd {
  readonly talkers: ChatClient[] = [];
  readonly #url: string;
  #said = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async join(): Promise<void> {
    await repeat(TALKERS, async (n) => {
      this.talkers.push(await ChatClient.connect(this.#url, `user ${n}`));
    });
    // Before the others are there: each message goes to all.
    await repeat(MESSAGES / 500, async () => {
      this.say(500);
      await this.#drain();
    });
    for (let n = TALKERS; n < PEOPLE - 1; n += JOINING) {
      const count = Math.min(JOINING, PEOPLE - 1 - n);
      await Promise.all(Array.from({ length: count }, (_, k) => this.#listen(`user ${n + k}`)));
    }
    await this.#drain();
  }

  say(count: number): void {
    for (let n = 0; n < count; n++, this.#said++) {
      this.talkers[Math.floor(this.#said / 3) % TALKERS]!.send(`c2/MSG 1; ${textOf(this.#said)}`);
    }
  }

  async #drain(): Promise<void> {
    for (const talker of this.talkers) await talker.drain();
  }

  async #listen(name: string): Promise<void> {
    const { socket } = await ChatClient.open(this.#url);
    socket.onmessage = null;
    socket.send(`c2/CONNECT ${name}`);
  }
}

function textOf(n: number): string {
  return [
    `line ${n}, and what follows it is some more of it, as people write who have something to say`,
    `\`code\` and **bold** ${n}`,
    `> user ${n % 40}: line ${n - 7}\n@alice yes ${n}`,
    `\`\`\`\nlet x = ${n};\n\`\`\``,
    `see https://example.org/${n} and @user 7`,
  ][n % 5]!;
}

function scrolling(page: Page) {
  const before = () => page.mouse.move(400, 300);
  const wheel = (deltaY: number) => () => page.mouse.wheel({ deltaY });
  return {
    wheel: { before, act: () => repeat(40, wheel(-120)).then(() => repeat(20, wheel(120))) },
    "fast wheel": { before, act: () => repeat(20, wheel(-1000)).then(() => repeat(10, wheel(1000))) },
    "PageUp held": {
      before: () => page.focus("#scroller"),
      act: async () => {
        await repeat(15, () => page.keyboard.down("PageUp"));
        await page.keyboard.up("PageUp");
      },
    },
    "scroll bar": {
      act: () =>
        page.evaluate(async () => {
          const scroller = document.querySelector("#scroller")!;
          for (let n = 0; n < 40; n++) {
            scroller.scrollTop += n < 20 ? -1500 : 1500;
            await new Promise(requestAnimationFrame);
          }
        }),
    },
  } satisfies Record<string, Scenario>;
}

function reading(page: Page, crowd: Crowd, alice: ChatPage) {
  const goUp = () => page.$eval("#scroller", (scroller) => void (scroller.scrollTop -= 30_000));
  const flood = () =>
    repeat(40, () => {
      crowd.say(2);
      return pause(40);
    });
  return {
    "50 messages/s at the end": { act: flood },
    "50 messages/s to a reader": { before: goUp, act: flood },
    "a message now and then": {
      act: () =>
        repeat(5, () => {
          crowd.say(1);
          return pause(400);
        }),
    },
    "to the newest": { before: goUp, act: () => page.click("#newer") },
    "to a hit": {
      before: async () => {
        await page.click("#search-button");
        await alice.fill("#search-words", `line ${Math.floor(MESSAGES / 10) * 5},`);
        await page.keyboard.press("Enter");
        await page.waitForSelector("#hits button");
      },
      act: async () => {
        await page.click("#hits button");
        await page.waitForSelector("#rows .found");
      },
    },
  } satisfies Record<string, Scenario>;
}

function typing(page: Page, crowd: Crowd) {
  const before = () => page.focus("#text");
  const type = (text: string, delay: number) => page.keyboard.type(text, { delay });
  return {
    typing: { before, act: () => type("what one writes here is of some length, with words in it", 30) },
    "typing mentions": { before, act: () => type(" @user 99 and @user 12", 60) },
    "typing while others write": {
      before,
      act: async () => {
        const others = repeat(20, (n) => {
          crowd.say(1);
          crowd.talkers[n % TALKERS]!.send("c2/TYPING");
          return pause(60);
        });
        await type(" and while others write, one writes", 30);
        await others;
      },
    },
  } satisfies Record<string, Scenario>;
}

function people(page: Page, url: string) {
  return {
    "filter of people": {
      before: () => page.focus("#people-filter"),
      act: async () => {
        await page.keyboard.type("r 12", { delay: 80 });
        await repeat(4, () => page.keyboard.press("Backspace", { delay: 80 }));
      },
    },
    arrivals: {
      act: () =>
        repeat(5, async (n) => {
          await using _late = await ChatClient.connect(url, `late ${n}`);
          await pause(100);
        }),
    },
    "a dialog": {
      act: async () => {
        await page.click("#search-button");
        await pause(300);
        await page.click("#search-close");
      },
    },
  } satisfies Record<string, Scenario>;
}

async function measure(page: Page, name: string, { before, act }: Scenario): Promise<number> {
  if (await page.$("#newer:not([hidden])") !== null) await page.click("#newer");
  await rests(page);
  await before?.();
  await rests(page);
  const [longest] = await tasksOf(page, act);
  if (longest === undefined) throw new Error(`${name}: no task`);
  if (IS_IN_PARTS) {
    const parts = [...longest.parts].filter(([, ms]) => ms >= 0.5).sort(([, a], [, b]) => b - a);
    console.log(
      `${name}, ${longest.ms.toFixed(1)}: ${parts.map(([n, ms]) => `${n} ${ms.toFixed(1)}`).join(", ")}`,
    );
  }
  return longest.ms;
}

await using server = await startTestChat({
  transport: "ws",
  limits: { floodRate: 0, maxUnansweredFrames: 20_000, maxUsers: PEOPLE + 10 },
});
await withBrowser(async (stage) => {
  const alice = await ChatPage.join(stage, server.url, "alice");
  const crowd = new Crowd(server.url);
  await crowd.join();
  const { page } = alice;
  await page.waitForFunction(
    (count) => document.querySelector("#people-count")?.textContent === String(count),
    {},
    PEOPLE,
  );
  const all: Record<typeof SCENARIOS[number], Scenario> = {
    ...scrolling(page),
    ...reading(page, crowd, alice),
    ...typing(page, crowd),
    ...people(page, server.url),
  };
  const scenarios = Object.entries(all).filter(([name]) => ONLY.includes(name));
  const figures = new Map<string, string[]>(scenarios.map(([name]) => [name, []]));
  await page.emulateCPUThrottling(SLOW);
  await repeat(ROUNDS, async () => {
    for (const [name, scenario] of scenarios) {
      figures.get(name)!.push((await measure(page, name, scenario)).toFixed(0).padStart(5));
    }
  });
  console.log(`${PEOPLE} people, ${MESSAGES} messages, ${SLOW} times as slow: ms of CPU of the longest task`);
  for (const [name, ms] of figures) console.log(name.padEnd(26) + ms.join(""));
});
Deno.exit(0);
