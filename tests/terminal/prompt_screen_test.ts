/**
 * The prompt and the lines above it on a terminal emulator. Through typing, printing and resizing, the line is whole,
 * the cursor is in its place, and no printed line is lost.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { graphemes } from "../../terminal/screen/cells.ts";
import { LineEditor } from "../../terminal/screen/line_editor.ts";
import { type Prompt, PromptScreen } from "../../terminal/screen/prompt_screen.ts";
import { ModelTerminal } from "../support/model_terminal.ts";
import { runs } from "../support/property_runs.ts";

const LABEL = "you> ";

/** A screen, its terminal, and the line being typed. */
class Stage implements Disposable {
  readonly terminal: ModelTerminal;
  readonly editor = new LineEditor();
  readonly #screen: PromptScreen;
  above: string[] = [];

  constructor(columns: number, rows: number) {
    this.terminal = new ModelTerminal(columns, rows);
    this.#screen = new PromptScreen({ columns, rows });
  }

  get prompt(): Prompt {
    const { text, cursor } = this.editor;
    return { above: this.above, label: LABEL, text, cursor };
  }

  show(): Promise<void> {
    return this.terminal.write(this.#screen.show(this.prompt));
  }

  print(...lines: string[]): Promise<void> {
    return this.terminal.write(this.#screen.print(lines.map((line) => () => [line]), this.prompt));
  }

  resize(columns: number, rows: number): Promise<void> {
    this.terminal.resize(columns, rows);
    return this.terminal.write(this.#screen.resize({ columns, rows }, this.prompt));
  }

  redraw(): Promise<void> {
    return this.terminal.write(this.#screen.redraw(this.prompt));
  }

  /** The rows of the screen up to the last one with text. */
  get rows(): string[] {
    const rows = this.terminal.screen;
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  [Symbol.dispose](): void {
    this.terminal[Symbol.dispose]();
  }
}

Deno.test("a printed line is above the line being typed, which stays as it is", async () => {
  using stage = new Stage(30, 6);
  stage.editor.replace("half a wo");
  await stage.show();
  await stage.print("alice: hello");
  await stage.print("bob: hi", "bob: how are you?");
  assertEquals(stage.rows, ["alice: hello", "bob: hi", "bob: how are you?", "you> half a wo"]);
  assertEquals(stage.terminal.cursor, { x: 14, y: 3 });
});

Deno.test("a line of several rows is moved as a whole, and goes on under its beginning", async () => {
  using stage = new Stage(20, 8);
  stage.editor.replace("a line that is much longer than the window");
  await stage.show();
  await stage.print("one");
  assertEquals(stage.rows, [
    "one",
    "you> a line that is",
    "     much longer tha",
    "     n the window",
  ]);
});

Deno.test("rows above the line are cut to the window, and what would steer the terminal is written out", async () => {
  using stage = new Stage(20, 6);
  stage.above = ["sending: something quite long", "a\x1b[2Jb"];
  stage.editor.replace("x\u202ey");
  await stage.show();
  assertEquals(stage.rows, ["sending: something …", "a\\u{1b}[2Jb", "you> x\\u{202e}y"]);
});

Deno.test("nothing is written where nothing has changed", () => {
  const screen = new PromptScreen({ columns: 20, rows: 5 });
  const prompt = { above: [], label: LABEL, text: "x", cursor: 1 };
  assert(screen.show(prompt) !== "");
  assertEquals(screen.show(prompt), "");
});

Deno.test("leaving takes the prompt away, and what is written next follows what came in", async () => {
  using terminal = new ModelTerminal(20, 5);
  const screen = new PromptScreen({ columns: 20, rows: 5 });
  await terminal.write(
    screen.print([() => ["hello"]], { above: ["typing"], label: LABEL, text: "x", cursor: 0 }),
  );
  await terminal.write(screen.leave() + "$ ");
  assertEquals(terminal.screen, ["hello", "$", "", "", ""]);
});

Deno.test("a terminal that takes a character for wider than it is shows all rows where they are", async () => {
  // Without this addon xterm.js gives each person of a family emoji two cells, as many terminals do.
  const { default: xterm } = await import("@xterm/headless");
  const terminal = new xterm.Terminal({ cols: 20, rows: 6, allowProposedApi: true });
  const write = (output: string) => new Promise<void>((resolve) => terminal.write(output, resolve));
  const screen = new PromptScreen({ columns: 20, rows: 6 });
  const text = "👩‍👩‍👧".repeat(7) + "x";
  const prompt = { above: [], label: LABEL, text, cursor: text.length };
  await write(screen.show(prompt));
  for (const line of ["one", "two", "three"]) await write(screen.print([() => [line]], prompt));
  const rows = Array.from(
    { length: 6 },
    (_, y) => terminal.buffer.active.getLine(y)!.translateToString(true),
  );
  assertEquals(rows.slice(0, 3), ["one", "two", "three"]);
  assertStringIncludes(rows[3]!, LABEL);
  assertEquals(rows[5], "");
  terminal.dispose();
});

Deno.test("a line that was pushed out above the screen and shown again is there once in a higher window", async () => {
  using stage = new Stage(14, 5);
  await stage.print("<line 0>");
  stage.editor.press({ kind: "paste", text: "\na語語aaaaa語語aaaa" });
  await stage.show();
  await stage.resize(14, 4);
  await stage.redraw();
  await stage.resize(14, 6);
  assertEquals(stage.rows.filter((row) => row === "<line 0>").length, 1, stage.rows.join("\n"));
});

Deno.test("a window that gets narrower while a long line is typed leaves nothing of the wider one", async () => {
  using stage = new Stage(30, 8);
  await stage.print("one", "two");
  stage.editor.replace("a".repeat(25) + "b".repeat(25) + "cc");
  await stage.show();
  await stage.resize(20, 8);
  assertEquals(stage.rows, [
    "one",
    "two",
    "you> aaaaaaaaaaaaaaa",
    "     aaaaaaaaaabbbbb",
    "     bbbbbbbbbbbbbbb",
    "     bbbbbcc",
  ]);
});

const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."abc deXYZ. ") },
  fc.constantFrom("語", "日", "ｗ", "é", "e\u0301", "👋🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "\n", "ß", "\u202e", "ก็"),
);
const typed = fc.array(character, { maxLength: 60, size: "max" }).map((characters) => characters.join(""));

type Deed =
  | { readonly kind: "type"; readonly text: string; readonly back: number }
  | { readonly kind: "print"; readonly count: number }
  | { readonly kind: "above"; readonly rows: readonly string[] }
  | { readonly kind: "redraw" };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ kind: fc.constant("type" as const), text: typed, back: fc.nat(12) }),
  fc.record({ kind: fc.constant("print" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("above" as const), rows: fc.array(typed, { maxLength: 2 }) }),
  fc.constant({ kind: "redraw" as const }),
);
const size = fc.record({ columns: fc.integer({ min: 14, max: 40 }), rows: fc.integer({ min: 4, max: 12 }) });

/** Performs a deed; printed lines are numbered. */
async function act(stage: Stage, deed: Deed, lines: string[]): Promise<void> {
  switch (deed.kind) {
    case "type":
      stage.editor.press({ kind: "paste", text: deed.text });
      for (let i = 0; i < deed.back; i++) stage.editor.press({ kind: "key", name: "left" });
      return await stage.show();
    case "above":
      stage.above = [...deed.rows];
      return await stage.show();
    case "redraw":
      return await stage.redraw();
    case "print": {
      const come = Array.from({ length: deed.count }, (_, i) => `<line ${lines.length + i}>`);
      lines.push(...come);
      return await stage.print(...come);
    }
  }
}

/** The part of the line that the screen shows before the cursor, without label, margins and row ends. */
function shownBeforeCursor(stage: Stage, promptRow: number): string {
  const { x, y } = stage.terminal.cursor;
  const rows = Array.from({ length: y - promptRow }, (_, i) => stage.terminal.screen[promptRow + i] ?? "");
  return [...rows, stage.terminal.rowUpTo(y, x)].map((row) => row.slice(LABEL.length)).join("");
}

// Rows end at the window's edge or at a line break, so spaces at their ends do not count.
const squeezed = (text: string) => text.replaceAll(/\s/g, "").replaceAll("\u202e", "\\u{202e}");

/** Compares the screen with the line being typed and with the printed lines. */
function hold(stage: Stage, lines: readonly string[]): void {
  const screen = stage.rows;
  const { text, cursor } = stage.editor;
  const promptRow = screen.findLastIndex((row) => row.startsWith(LABEL.trimEnd()));
  const lastLine = screen.findLastIndex((row) => /^<line [0-9]+>$/.test(row));
  // A line that is higher than the window is shown up to the cursor, without its beginning.
  if (promptRow >= 0) {
    assertEquals(squeezed(shownBeforeCursor(stage, promptRow)), squeezed(text.slice(0, cursor)));
    const below = screen.slice(promptRow).map((row) => row.slice(LABEL.length)).join("");
    assert(squeezed(text).startsWith(squeezed(below)), `${JSON.stringify(below)} of ${JSON.stringify(text)}`);
    // No part of an earlier prompt is left between them.
    assertLessOrEqual(promptRow - lastLine - 1, stage.above.length, screen.join("\n"));
  }
  const shown = screen.slice(0, lastLine + 1);
  assertEquals(shown, lines.slice(lines.length - shown.length), "the newest lines, each once and in order");
}

Deno.test("whatever is typed and comes in, the screen shows the line, the cursor and every line once", async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.array(deed, { maxLength: 12, size: "max" }),
      async ({ columns, rows }, deeds) => {
        using stage = new Stage(columns, rows);
        const lines: string[] = [];
        await stage.show();
        for (const deed of deeds) {
          await act(stage, deed, lines);
          hold(stage, lines);
        }
        // No part of the prompt is left at its earlier place.
        if (!deeds.some(({ kind }) => kind === "redraw")) {
          const all = stage.terminal.all.slice(0, lines.length);
          assertEquals(all, lines);
        }
      },
    ),
    runs(15),
  );
});

Deno.test("whatever size the window gets, the screen shows the line, the cursor and the newest lines", async () => {
  const change = fc.oneof({ weight: 2, arbitrary: deed }, size);
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.array(change, { maxLength: 12, size: "max" }),
      async ({ columns, rows }, changes) => {
        using stage = new Stage(columns, rows);
        const lines: string[] = [];
        await stage.show();
        for (const change of changes) {
          if ("columns" in change) await stage.resize(change.columns, change.rows);
          else await act(stage, change, lines);
          hold(stage, lines);
        }
      },
    ),
    { ...runs(15), endOnFailure: true },
  );
});

Deno.test("the cursor reaches every character of every line, in windows of every width", async () => {
  await fc.assert(
    fc.asyncProperty(typed, fc.integer({ min: 10, max: 16 }), async (text, columns) => {
      using stage = new Stage(columns, 30);
      stage.editor.replace(text);
      for (let back = graphemes(stage.editor.text).length; back >= 0; back--) {
        await stage.show();
        const promptRow = stage.rows.findIndex((row) => row.startsWith(LABEL.trimEnd()));
        const before = stage.editor.text.slice(0, stage.editor.cursor);
        assertEquals(squeezed(shownBeforeCursor(stage, promptRow)), squeezed(before));
        stage.editor.press({ kind: "key", name: "left" });
      }
    }),
    runs(15),
  );
});
