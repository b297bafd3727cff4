/**
 * Texts of messages as nodes: what formats, what stays as written, and that nothing is lost.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { foldName } from "../../src/protocol/names.ts";
import { calls } from "../../src/text/mentions.ts";
import type { MessageNode, MessageText } from "../../src/text/message_nodes.ts";
import { messageText } from "../../src/text/message_text.ts";
import { answerIn, answers, BEGINNING_MAX, replyLine } from "../../src/text/reply.ts";
import { codePoint } from "../support/code_point.ts";
import { runs } from "../support/property_runs.ts";

/** The message as it was sent. */
function written({ action, nodes }: MessageText): string {
  return action + nodes.map(writtenNode).join("");
}

function writtenNode(node: MessageNode): string {
  switch (node.kind) {
    case "plain":
    case "mention":
    case "link":
      return node.text;
    case "code":
    case "fence":
      return node.open + node.text + node.close;
    case "quote":
      return node.lines.map(({ mark, nodes, end }) => mark + nodes.map(writtenNode).join("") + end).join("");
    default:
      return node.open + node.nodes.map(writtenNode).join("") + node.close;
  }
}

/** A short form of the nodes, in which plain text is itself and the rest is `kind(…)`. */
function outline(nodes: readonly MessageNode[]): string {
  return nodes.map((node) => {
    switch (node.kind) {
      case "plain":
        return node.text;
      case "quote":
        return `quote(${node.lines.map(({ nodes }) => outline(nodes)).join("|")})`;
      case "bold":
      case "italic":
      case "struck":
        return `${node.kind}(${outline(node.nodes)})`;
      default:
        return `${node.kind}(${node.text})`;
    }
  }).join("");
}

const FORMATTED: readonly [text: string, nodes: string][] = [
  ["*a* _b_ **c** ~~d~~ `e`", "italic(a) italic(b) bold(c) struck(d) code(e)"],
  ["***a***", "italic(bold(a))"],
  ["**a _b ~~c~~_ d**", "bold(a italic(b struck(c)) d)"],
  ["(*a*), \"**b**\": '_c_'!", "(italic(a)), \"bold(b)\": 'italic(c)'!"],
  ["**a\nb**", "bold(a\nb)"],
  [
    "**Ankara**’da **중요**합니다 これは**重点**です",
    "bold(Ankara)’da bold(중요)합니다 これはbold(重点)です",
  ],
  ["**👍**", "bold(👍)"],
  ["`` a ` b `` `*c*` `d\\`", "code(a ` b) code(*c*) code(d\\)"],
  ["```js\nlet a;\n\n> b\n```\nc", "fence(let a;\n\n> b)c"],
  ["a\n```\n```", "a\nfence()"],
  ["````\n```\n````", "fence(```)"],
  ["```a```", "code(a)"],
  ["> a *b*\n>\n> c\nd", "quote(a italic(b)||c)d"],
  ["a\n> b", "a\nquote(b)"],
  [
    "**https://example.org/** _https://example.org/a_b_ ~~https://example.org~~",
    "bold(link(https://example.org/)) italic(link(https://example.org/a_b)) struck(link(https://example.org))",
  ],
  [
    "`https://example.org/` https://example.org/_a_*b*",
    "code(https://example.org/) link(https://example.org/_a_*b)*",
  ],
  ["*@bob* (@bob) @bob.", "italic(mention(@bob)) (mention(@bob)) mention(@bob)."],
];

Deno.test("the small part of Markdown becomes nodes", () => {
  for (const [text, nodes] of FORMATTED) {
    const read = messageText(text);
    assertEquals(outline(read.nodes), nodes, text);
    assertEquals(written(read), text);
  }
});

Deno.test("what people write without thinking of Markdown stays as written", () => {
  const texts = [
    "2 * 3 * 4",
    "2*3*4=24, 2**10, a*b*c",
    "snake_case_name and __init__.py and _private",
    ":-* :* hugs *:",
    "*_* and *-* and **",
    "¯\\_(ツ)_/¯",
    "<b>bold</b> <script>alert(1)</script> &amp; &lt;",
    "# not a heading",
    "1. x\n2. y",
    "* one\n* two\n- three",
    "a\n---\nb\n===\n****\n____",
    "[a](https) ![b](c) [x]",
    "| a | b |\n|---|---|",
    "    indented\n\ttab",
    "a \\* b \\_ c",
    "**/*.ts and **/a*.js, src/*.ts, /* a */",
    "e` vero, perche` no",
    "~ 5 ~ ~~ ~~~ ~/a and ~/b",
    ">_< >:( >> >>>",
    "f**k and s***",
    "$a_b$ + c_d_",
    "**a\n\nb**",
    "``` no end\na",
    "a@example.org and @ and @@b",
    "  spaces  \n\n\n and lines \n",
    "a  \nb\r\nc",
    "\u0000 \ufffd \ud800",
    "/mean /me",
  ];
  for (const text of texts) {
    const read = messageText(text);
    assertEquals(read.nodes.filter(({ kind }) => kind !== "plain"), [], text);
    assertEquals(written(read), text);
  }
});

Deno.test("marks inside of many marks stay as written", () => {
  const text = "*a _a *a _a *a _a *a _a b a_ a* a_ a* a_ a* a_ a*";
  assertEquals(
    outline(messageText(text).nodes),
    "italic(a italic(a italic(a italic(a italic(a italic(a *a _a b a_ a* a) a) a) a) a) a)",
  );
  assertEquals(written(messageText(text)), text);
});

Deno.test("the nodes of any text are the text", () => {
  const piece = fc.oneof(
    fc.string({ unit: codePoint }),
    fc.constantFrom(
      ..."*_~`@> \n/ab.:",
      "**",
      "~~",
      "```",
      "\n> ",
      "\n```\n",
      "https://a.b/",
      "/me ",
      "\r\n",
    ),
  );
  const texts = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(texts, fc.boolean(), (text, areNames) => {
      assertEquals(written(messageText(text, () => areNames)), text);
    }),
    runs(2000),
  );
});

Deno.test("a mention is a name by its folded form, until the first character that no name has", () => {
  const names = ["bob", "Zoë 👩‍🚀", "al", "al ice", "d.e-", "日本語", "Straße"].map(foldName);
  const cases: [text: string, ...mentioned: string[]][] = [
    ["@bob", "@bob"],
    ["hey @BOB, @ＢＯＢ!", "@BOB", "@ＢＯＢ"],
    ["@bobby @bo", "@bobby", "@bo"],
    ["@zoë 👩‍🚀 and @Zoe\u0308 👩‍🚀", "@zoë 👩‍🚀", "@Zoe\u0308 👩‍🚀"],
    ["@al ice @al @al icex", "@al ice", "@al", "@al"],
    ["@bob. @bob- @d.e-. (@bob)@al", "@bob", "@bob", "@d.e-", "@bob", "@al"],
    ["@日本語、@STRASSE", "@日本語", "@STRASSE"],
    ["a@bob.example é@bob", ...[]],
    ["`@bob`", ...[]],
    ["@  bob @", ...[]],
    ["@\u0301a", ...[]],
  ];
  for (const [text, ...mentioned] of cases) {
    const { nodes } = messageText(text, (folded) => names.includes(folded));
    const found = nodes.filter(({ kind }) => kind === "mention");
    assertEquals(found.map((node) => "text" in node ? node.text : ""), mentioned, text);
  }
  const { nodes } = messageText("@Bob and @stranger");
  assertEquals(nodes.flatMap((node) => node.kind === "mention" ? [node.folded] : []), ["bob", "stranger"]);
});

Deno.test("a message calls a person whom it mentions or answers, and not by what it quotes or shows as code", () => {
  const cases: [text: string, calls: boolean][] = [
    ["hello **@Bob**", true],
    ["hello bob", false],
    ["@bobby", false],
    ["`@bob`\n```\n@bob\n```", false],
    ["> ask @bob\nwhy?", false],
    ["> bob: hello\nwhy?", true],
    ["> Bob: hello\n> alice: hello\nwhy?", false],
    ["/me waves at @bob", true],
  ];
  for (const [text, expected] of cases) assertEquals(calls(messageText(text).nodes, "bob"), expected, text);
});

Deno.test("/me and a text is an action", () => {
  assertEquals(messageText("/me waves *both* hands"), {
    action: "/me ",
    nodes: [
      { kind: "plain", text: "waves " },
      { kind: "italic", open: "*", nodes: [{ kind: "plain", text: "both" }], close: "*" },
      { kind: "plain", text: " hands" },
    ],
  });
  for (const text of ["/me", "/me ", "/men a", " /me a", "/ME a"]) assertEquals(messageText(text).action, "");
});

Deno.test("a reply is a quote line with the name and the beginning of what it answers", () => {
  const answered = "Who has **the keys** for\nthe `boat`?";
  const text = replyLine("Zoë_ 👩‍🚀", answered) + "I have";
  assertEquals(text, "> Zoë_ 👩‍🚀: Who has **the keys** for the `boat`?\nI have");
  const [quote, ...rest] = messageText(text).nodes;
  assertEquals(rest, [{ kind: "plain", text: "I have" }]);
  const reply = quote?.kind === "quote" ? quote.reply : undefined;
  assertEquals([reply?.name, reply?.folded], ["Zoë_ 👩‍🚀", foldName("Zoë_ 👩‍🚀")]);
  assertEquals(outline([quote!]), "quote(Who has bold(the keys) for the code(boat)?)");
  assertEquals(answers(reply!, answered), true);
  assertEquals(answers(reply!, "Who else?"), false);
  const quoted: [beginning: string, text: string, isAnswered: boolean][] = [
    ["yes", "yes", true],
    ["yes", "> bob: a\nyes ", true],
    ["yes", "yes, but never so", false],
    ["yes…", "yes, but never so", true],
    ["wait…", "wait…", true],
    ["…", "anything", false],
    ["…", "…", true],
    ["", "anything", false],
  ];
  for (const [beginning, said, isAnswered] of quoted) {
    const [quote] = messageText(`> bob: ${beginning}\na`).nodes;
    assertEquals(quote?.kind === "quote" && answers(quote.reply!, said), isAnswered, `${beginning}: ${said}`);
  }
  assertEquals(answerIn(text), "I have");
  // The reply to a reply begins with the answer.
  assertEquals(replyLine("al", text), "> al: I have\n");
  for (
    const none of [
      "> bob: a",
      "> bob: a\n\n ",
      "> bob:a\nb",
      "> b;b: a\nb",
      "> bob: a\n> c\nb",
      "a\n> bob: a\nb",
    ]
  ) {
    const found = messageText(none).nodes.find(({ kind }) => kind === "quote");
    assertEquals(found?.kind === "quote" ? found.reply : undefined, undefined, none);
  }
});

Deno.test("a reply repeats at most the first code points, and is found again", () => {
  for (const length of [BEGINNING_MAX - 1, BEGINNING_MAX, BEGINNING_MAX + 1, 10_000]) {
    const answered = "👍".repeat(length);
    const line = replyLine("bob", answered);
    assertEquals([...line].length, Math.min(length, BEGINNING_MAX) + "> bob: \n".length);
    const [quote] = messageText(line + "a").nodes;
    assertEquals(quote?.kind === "quote" && quote.reply && answers(quote.reply, answered), true);
  }
});
