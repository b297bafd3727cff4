/**
 * `deno task screenshots:terminal`: the picture of the terminal client for the documents, docs/images/terminal.svg. A
 * real session on a pseudo-terminal, of which the cells are drawn as text: no browser is needed, and it stays small.
 *
 * It is no test: nothing is compared.
 *
 * @module
 */
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import type { Cell, ModelTerminal } from "../support/model_terminal.ts";
import { PtyProgram } from "../support/pty_program.ts";

const COLUMNS = 74;
const ROWS = 16;
/** A cell in the picture's units, and what is left free around all. */
const CELL = { width: 8.4, height: 19 };
const MARGIN = 14;
const FOREGROUND = "#d8dee9";
const BACKGROUND = "#1c2128";
/** The terminal's palette, as far as the client uses it. */
const PALETTE: { readonly [colour: number]: string } = {
  1: "#f47067",
  2: "#8ddb8c",
  3: "#e3b341",
  4: "#6cb6ff",
  5: "#dcbdfb",
  6: "#76e3ea",
};
/** The levels of the 6 by 6 by 6 colours from number 16 on. */
const LEVELS = [0, 95, 135, 175, 215, 255];
const COMMAND = "$ chatter client chat.example --name alice";

/** A session with something of everything, up to a line that is half typed. */
async function play(): Promise<string> {
  const server = await startTestChat({ name: "The Corner Pub" });
  try {
    await using bob = await ChatClient.connect(server.url, "bob");
    await using mei = await ChatClient.connect(server.url, "美玲");
    const say = async (who: ChatClient, text: string) => {
      await who.ask(`c2/MSG ${Date.now()}; ${text}`);
      return (await who.drain()).length;
    };
    await say(bob, "anybody up for the boat tomorrow?");
    await say(mei, "depends on the weather ⛅");
    await using alice = new PtyProgram(["client", server.url, "--name", "alice"], {
      columns: COLUMNS,
      rows: ROWS,
    });
    await alice.untilRow("* 3 users are here: bob, 美玲, alice");
    await alice.type("me, if it is past ten\r");
    await alice.untilRow("alice: me, if it is past ten");
    await say(bob, "@alice ten thirty at the pier then. Bring something to eat, I have coffee for all of us");
    await alice.type("/edit me, if it is past nine\r");
    await alice.until("the change", (rows) => rows.some((row) => row.startsWith("* alice changed")));
    await say(mei, "forecast says *sun* ☀️ 🎉");
    await using carol = new PtyProgram(["client", server.url, "--name", "carol"]);
    await alice.untilRow("* carol joined");
    await carol.type("I ");
    await alice.untilRow("carol is typing");
    await alice.type("@bob then I bring the b");
    await alice.untilRow("alice> @bob then I bring the b");
    return picture(alice.terminal);
  } finally {
    await server.stop();
  }
}

function picture(terminal: ModelTerminal): string {
  const last = terminal.screen.findLastIndex((row) => row !== "");
  const rows = Array.from({ length: last + 1 }, (_, y) => terminal.cellsOf(y));
  const { x, y } = terminal.cursor;
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN);
  const height = Math.ceil((rows.length + 1) * CELL.height + 2 * MARGIN);
  const cursor = `<rect x="${left(x)}" y="${MARGIN + (y + 1) * CELL.height + 2}" width="${CELL.width}" ` +
    `height="${CELL.height - 3}" fill="${FOREGROUND}" opacity="0.6"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`,
    `<title>The terminal client: messages, a mention, an edit, a typing notice, and a half-typed line</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<g fill="${FOREGROUND}" xml:space="preserve">`,
    `<text y="${baseline(-1)}" opacity="0.6"><tspan x="${left(0)}">${COMMAND}</tspan></text>`,
    ...rows.map((cells, y) =>
      `${grounds(runsOf(cells), y)}<text y="${baseline(y)}">${runsOf(cells).map(drawn).join("")}</text>`
    ),
    cursor,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

interface Run {
  readonly x: number;
  readonly cell: Cell;
  text: string;
}

/** Neighbouring cells that look alike. What is wider than a cell stands by itself, since fonts do not agree on it. */
function runsOf(cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  for (const [x, cell] of cells.entries()) {
    if (cell.width === 0 || cell.text.trim() === "") continue;
    const last = runs.at(-1);
    const isNext = last !== undefined && last.cell.width === 1 && cell.width === 1 &&
      last.x + [...last.text].length >= x - 1 && looksLike(last.cell, cell);
    if (isNext) last.text = last.text.padEnd(x - last.x) + cell.text;
    else runs.push({ x, cell, text: cell.text });
  }
  return runs;
}

function looksLike(a: Cell, b: Cell): boolean {
  return a.colour === b.colour && a.isBold === b.isBold && a.isDim === b.isDim &&
    a.isItalic === b.isItalic && a.isInverse === b.isInverse;
}

function drawn({ x, cell, text }: Run): string {
  const looks = [
    cell.isInverse
      ? ` fill="${BACKGROUND}"`
      : cell.colour === undefined
      ? ""
      : ` fill="${colourOf(cell.colour)}"`,
    cell.isBold ? ` font-weight="bold"` : "",
    cell.isDim ? ` fill-opacity="0.6"` : "",
    cell.isItalic ? ` font-style="italic"` : "",
  ].join("");
  // Whatever font there is, a run is as long as its cells.
  const length = cell.width === 1 ? ` textLength="${round([...text].length * CELL.width)}"` : "";
  return `<tspan x="${left(x)}"${length}${looks}>${escaped(text)}</tspan>`;
}

function colourOf(number: number): string {
  if (number < 16) return PALETTE[number] ?? FOREGROUND;
  const levels = [36, 6, 1].map((step) => LEVELS[Math.floor((number - 16) / step) % 6]!);
  return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

/** The grounds of what is inverse in a row. */
function grounds(runs: readonly Run[], y: number): string {
  return runs.filter(({ cell }) => cell.isInverse).map(({ x, cell, text }) =>
    `<rect x="${left(x)}" y="${MARGIN + (y + 1) * CELL.height + 2}" width="${
      round([...text].length * CELL.width)
    }" ` +
    `height="${CELL.height - 3}" fill="${cell.colour === undefined ? FOREGROUND : colourOf(cell.colour)}"/>`
  ).join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function left(x: number): number {
  return round(MARGIN + x * CELL.width);
}

function baseline(y: number): number {
  return round(MARGIN + (y + 2) * CELL.height - 5);
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

if (import.meta.main) {
  const svg = await play();
  const file = new URL("../../docs/images/terminal.svg", import.meta.url);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, svg);
  await Deno.stdout.write(new TextEncoder().encode(`docs/images/terminal.svg: ${svg.length} bytes\n`));
}
