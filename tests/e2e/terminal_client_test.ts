/**
 * `chatter client` on a pseudo-terminal, used and seen as a person does.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { freePort } from "../support/free_port.ts";
import { startServer } from "../support/program.ts";
import { type PtyOptions, PtyProgram, testOnTerminal } from "../support/pty_program.ts";

const ALICE = ["--name", "alice"];
const ON_A_SERVER = "* You are on Test Server as alice. /help lists the comman…";

/** A server, alice at a terminal there, and bob who is there by other means. */
async function withAliceAndBob(
  test: (alice: PtyProgram, bob: ChatClient, url: string) => Promise<void>,
  options: PtyOptions = {},
): Promise<void> {
  const server = await startTestChat();
  try {
    await using bob = await ChatClient.connect(server.url, "bob");
    await using alice = new PtyProgram(["client", server.url, ...ALICE], options);
    await alice.untilRow("* 2 users are here: bob, alice");
    await test(alice, bob, server.url);
  } finally {
    await server.stop();
  }
}

/** The part of the screen below the greeting, without the status row. */
function said(alice: PtyProgram): string[] {
  return withoutStatus(alice.rows.slice(alice.rows.indexOf("* 2 users are here: bob, alice") + 1));
}

function withoutStatus(rows: readonly string[]): string[] {
  return rows.filter((row) => !/^Test Server · /.test(row));
}

testOnTerminal(
  "lines that come in while a line is typed stand above it, and leave it whole",
  () =>
    withAliceAndBob(async (alice, bob) => {
      const half = "a line that is longer than the window is wide, and goes on and on";
      await alice.type(half);
      await alice.until("what was typed", (rows) => rows.at(-1)?.trim() === "es on and on");
      for (const text of ["one", "two", "three"]) await bob.say(text);
      await alice.untilRow("bob: three");
      assertEquals(said(alice), [
        "bob: one",
        "bob: two",
        "bob: three",
        "alice> a line that is longer than the window is wide, and go",
        "       es on and on",
      ]);
      await alice.type("\x01\x1bf\x1bf!\r");
      await alice.untilRow("alice: a line! that is longer than the window is…");
      assertEquals(said(alice).at(-1), "alice>");
    }),
);

testOnTerminal(
  "a window that gets narrower and wider keeps what is typed and what came",
  () =>
    withAliceAndBob(async (alice, bob) => {
      await bob.say("before");
      await alice.untilRow("bob: before");
      const half = "0123456789".repeat(5);
      await alice.type(half);
      await alice.untilRow(`alice> ${half}`);
      await alice.resize(30, 10);
      await alice.until("the line in three rows", (rows) => rows.at(-1)?.trim() === "6789");
      await bob.say("between");
      await alice.untilRow("bob: between");
      const rows = withoutStatus(alice.rows);
      assertEquals(rows.slice(rows.indexOf("bob: before")), [
        "bob: before",
        "bob: between",
        "alice> 01234567890123456789012",
        "       34567890123456789012345",
        "       6789",
      ]);
      await alice.resize(70, 20);
      await alice.untilRow(`alice> ${half}`);
      await alice.type("\x15after\r");
      await alice.untilRow("alice: after");
    }),
);

testOnTerminal(
  "tab completes commands and names, and up brings back what was sent",
  () =>
    withAliceAndBob(async (alice) => {
      await alice.type("/us\t\r");
      await alice.until(
        "the list twice",
        (rows) => rows.filter((row) => row === "* 2 users are here: bob, alice").length === 2,
      );
      await alice.type("B\thello\r");
      await alice.untilRow("alice: @bob hello");
      await alice.type("\x1b[A\x1b[A");
      await alice.untilRow("alice> /users");
      await alice.type("\x1b[B");
      await alice.untilRow("alice> @bob hello");
    }),
);

testOnTerminal(
  "own messages are changed and deleted, and names changed",
  () =>
    withAliceAndBob(async (alice, bob) => {
      await alice.type("helo\r");
      await alice.untilRow("alice: helo");
      await alice.type("/edit\r");
      await alice.untilRow("change: helo");
      await alice.type("\x1b[D\x1b[Dl\r");
      await alice.untilRow("* alice changed a message from …");
      await alice.type("/delete\r");
      await alice.untilRow("* alice deleted a message from …");
      await alice.type("/delete\r");
      await alice.untilRow("* You have no message to delete");
      await alice.type("/nick alicia\r");
      await alice.untilRow("alicia>");
      await alice.type("/nick bob\r");
      await alice.untilRow("* Username is in use, or looks like one that is: choose…");
      const seen = (await bob.drain()).map((frame) => frame.replace(/[0-9a-f-]{36}|\b[0-9]{13}\b/g, "#"));
      assertEquals(seen, [
        "c2/MSG alice; #; #; helo",
        "c2/MSG alice; #; #; hello",
        "c2/MSG alice; #; #; ",
        "c2/UPDATE alice; username; alicia",
      ]);
    }),
);

testOnTerminal("a pasted text of several lines is one message", () =>
  withAliceAndBob(async (alice, bob) => {
    await alice.type("\x1b[200~one\ntwo\x1b[201~");
    await alice.untilRow("       two");
    await alice.type("\r");
    assertMatch(await bob.next(), /; one\ntwo$/);
    await alice.until("both rows", (rows) => rows.includes("alice: one") && rows.includes("      two"));
  }));

testOnTerminal("what a peer writes cannot steer the terminal", () =>
  withAliceAndBob(async (alice, bob) => {
    await bob.say("still here");
    await bob.say("\x1b[2J\x1b[H\x1b]0;title\x07gone\r\u202ebidi\u009b2J");
    await alice.until("what was meant to clear it", (rows) => rows.some((row) => row.includes("gone")));
    assert(alice.rows.includes("bob: still here"));
    assertStringIncludes(said(alice).join(""), "bob: \\u{1b}[2J\\u{1b}[H\\u{1b}]0;title\\u{7}gone");
    assertStringIncludes(said(alice).join(""), "\\u{202e}bidi\\u{9b}2J");
    // A name on a line of another client: part of a text that fills the row before it.
    await bob.say("x".repeat(49) + " alice: I agree");
    await alice.until("the end of that text", (rows) => rows.includes("      alice: I agree"));
  }));

testOnTerminal(
  "typing users are shown, and the user's own typing is sent",
  () =>
    withAliceAndBob(async (alice, _bob, url) => {
      await using carol = new PtyProgram(["client", url, "--name", "carol"]);
      await carol.untilRow("* 3 users are here: bob, alice, carol");
      await alice.untilRow("* carol joined");
      await carol.type("hm");
      await alice.untilRow("carol is typing");
      await carol.type("\r");
      await alice.until(
        "the message in place of that",
        (rows) => rows.includes("carol: hm") && !rows.includes("carol is typing"),
      );
      await carol.type("\x04");
      await alice.untilRow("* carol left");
    }),
);

testOnTerminal(
  "after a server was killed and started again the session goes on, and nothing is lost",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const flags = ["--kv", `${folder}/chat.db`, "--port", String(freePort())];
      await using first = await startServer("chat", flags);
      await using alice = new PtyProgram(["client", first.url, ...ALICE]);
      await alice.untilRow("* 1 user is here: alice");
      await using bob = new PtyProgram(["client", first.url, "--name", "bob"]);
      await alice.untilRow("* bob joined");
      await alice.type("before\r");
      await bob.untilRow("alice: before");
      await first.stop("SIGKILL");
      await alice.untilRow("* The connection was lost. Reconnecting; what you write i…");
      await alice.type("meanwhile\r");
      await alice.untilRow("… meanwhile");
      await alice.until(
        "that there is no connection",
        (rows) => rows.some((row) => row.startsWith("no connection")),
      );
      await using second = await startServer("chat", flags);
      assertEquals(second.port, first.port);
      for (const program of [alice, bob]) {
        await program.untilRow("* Reconnected; you missed nothing");
        await program.untilRow("alice: meanwhile");
        assertEquals(
          program.rows.filter((row) => row === "alice: meanwhile").length,
          1,
        );
        assertEquals(program.rows.filter((row) => row === "alice: before").length, 1);
      }
      // It is still the same session: its messages are its own.
      await alice.type("/edit once\r");
      await bob.untilRow("* alice changed a message from …");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testOnTerminal("history goes back beyond what is shown at first", async () => {
  const server = await startTestChat({ limits: { floodRate: 0 } });
  try {
    await using bob = await ChatClient.connect(server.url, "bob");
    for (let i = 0; i < 30; i++) await bob.say(`old ${i}`);
    await using alice = new PtyProgram(["client", server.url, ...ALICE], { rows: 50 });
    await alice.untilRow("bob: old 29");
    assert(alice.rows.includes("bob: old 10") && !alice.rows.includes("bob: old 9"));
    await alice.type("/history 5\r");
    await alice.untilRow("bob: old 5");
    assert(!alice.rows.includes("bob: old 4"));
    await alice.type("/history\r");
    await alice.untilRow("bob: old 0");
    await alice.type("/history\r");
    await alice.untilRow("* There are no older messages");
  } finally {
    await server.stop();
  }
});

testOnTerminal("a name that is in use is asked for again, and so is one where none is given", async () => {
  const server = await startTestChat();
  try {
    await using _bob = await ChatClient.connect(server.url, "bob");
    await using alice = new PtyProgram(["client", server.url]);
    await alice.untilRow("* What is your name?");
    await alice.type("bob\r");
    await alice.untilRow("* Username is in use, or looks like one that is: choose…");
    await alice.untilRow("name: bob");
    await alice.type("\x15a;b\r");
    await alice.untilRow("* A name is 1 to 32 letters, numbers, emoji, _ - . and…");
    await alice.type("alice\r");
    await alice.untilRow(ON_A_SERVER);
  } finally {
    await server.stop();
  }
});

testOnTerminal("leaving gives the terminal back, with status 0, however it is asked for", async () => {
  const server = await startTestChat();
  try {
    for (const keys of ["\x03", "\x04", "/quit\r"]) {
      await using alice = new PtyProgram(["client", server.url, ...ALICE]);
      await alice.untilRow("* 1 user is here: alice");
      await alice.type(keys);
      await alice.until("the end", (rows) => rows.at(-1) === "icanon");
      assertEquals(alice.rows.slice(-3), ["* you left", "status 0", "icanon"]);
      assert(alice.output.includes("\x1b[?2004l"), "pastes are marked no more");
    }
  } finally {
    await server.stop();
  }
});

testOnTerminal("Ctrl-Z gives the terminal to the shell, and fg draws the screen again", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  await using shell = new PtyProgram(["client", server.url, ...ALICE], { shell: "bash" });
  await shell.untilRow("* 2 users are here: bob, alice");
  await shell.type("half a line");
  await shell.untilRow("alice> half a line");
  await shell.type("\x1a");
  await shell.until("the shell's notice", (rows) => rows.some((row) => /\bStopped\b/.test(row)));
  await bob.say("one");
  await shell.type("fg\r");
  await shell.untilRow("bob: one");
  await shell.untilRow("alice> half a line");
  await shell.type("!\r");
  await shell.untilRow("alice: half a line!");
});

testOnTerminal(
  "a terminal that cannot move its cursor has commands too, and sends none of them",
  async () => {
    await using server = await startTestChat();
    await using bob = await ChatClient.connect(server.url, "bob");
    const variables = { TERM: "dumb" };
    await using alice = new PtyProgram(["client", server.url, ...ALICE], { variables });
    await alice.type("/help\r//shrug\r/nick Alicia\r/quit\r");
    await alice.until("the end", (rows) => rows.at(-1) === "icanon");
    assert(alice.rows.some((row) => row.includes("/nick NAME, /me TEXT and /quit")));
    assertMatch(await bob.next(), /^c2\/MSG alice; [0-9]+; [^;]+; \/shrug$/);
    assertEquals(await bob.next(), "c2/UPDATE alice; username; Alicia");
    assertEquals(await bob.next(), "c2/DISCONNECT disconnect; Alicia");
  },
);

testOnTerminal("a banned user sees the reason, the status is 1, and the terminal is restored", async () => {
  const server = await startTestChat({ adminToken: TOKEN });
  try {
    await using alice = new PtyProgram(["client", server.url, ...ALICE]);
    await alice.untilRow("* 1 user is here: alice");
    await new AdminApi(server.url).post("bans", { name: "alice", message: "be kind" });
    await alice.until("the end", (rows) => rows.at(-1) === "icanon");
    assertEquals(alice.rows.slice(-3), [
      "chatter: You are banned from this server: be kind",
      "status 1",
      "icanon",
    ]);
  } finally {
    await server.stop();
  }
});

testOnTerminal("a server that is not there is one line and status 1", async () => {
  await using alice = new PtyProgram(["client", "127.0.0.1:1", ...ALICE]);
  await alice.until("the end", (rows) => rows.at(-1) === "icanon");
  assertMatch(alice.rows.join(" "), /^chatter: Cannot reach ws:\/\/127\.0\.0\.1:1: .+ status 1 icanon$/);
});

testOnTerminal("names have colours, and with NO_COLOR nothing has", async () => {
  const isColoured = (output: string) => output.includes("\x1b[3") || output.includes("\x1b[2m");
  await withAliceAndBob(async (alice, bob) => {
    await bob.say("hi");
    await alice.untilRow("bob: hi");
    assert(isColoured(alice.output));
  });
  await withAliceAndBob(async (alice, bob) => {
    await bob.say("hi");
    await alice.untilRow("bob: hi");
    assert(!isColoured(alice.output));
  }, { variables: { NO_COLOR: "1" } });
});

testOnTerminal(
  "a user whose connection is lost is listed as away by /users, and not counted",
  () =>
    withAliceAndBob(async (alice, _bob, url) => {
      const carol = await ChatClient.open(url, true);
      await using dave = await ChatClient.open(url, true);
      for (const [client, name] of [[carol, "carol"], [dave, "dave"]] as const) {
        assertEquals(await client.ask(`c2/CONNECT ${name}`), "c2/ACKNOWLEDGE Test Server");
        await alice.untilRow(`* ${name} joined`);
      }
      carol.socket.close();
      await carol.closed;
      while (await dave.next() !== "c2/AWAY carol");
      await alice.type("/users\r");
      await alice.untilRow("* 3 users are here: bob, alice, dave; away: carol");
    }),
);

testOnTerminal(
  "a mention rings once and is marked, until the bell is off, and one's own rings never",
  () =>
    withAliceAndBob(async (alice, bob) => {
      await bob.say("@bob, not @alicia");
      await alice.type("@alice\r");
      await alice.untilRow("alice: @alice");
      assert(!alice.output.includes("\x07"));
      for (const text of ["hi @Alice!", "> alice: @alice\nyes"]) await bob.say(text);
      await alice.untilRow("      yes");
      // The second is within seconds of the first.
      assertEquals(alice.output.split("\x07").length, 2);
      assertStringIncludes(alice.output, "\x1b[1m\x1b[33m\x1b[7m@Alice\x1b[27m\x1b[39m\x1b[22m!");
    }),
);

testOnTerminal("with --no-bell and after /bell off nothing rings, and after /bell on it does", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  await using alice = new PtyProgram(["client", server.url, ...ALICE, "--no-bell"]);
  await alice.untilRow("* 2 users are here: bob, alice");
  await bob.say("@alice one");
  await alice.untilRow("bob: @alice one");
  await alice.type("/bell on\r/bell off\r");
  await alice.untilRow("* The bell is off");
  await bob.say("@alice two");
  await alice.untilRow("bob: @alice two");
  assert(!alice.output.includes("\x07"));
  await alice.type("/bell on\r/bell off\r/bell on\r");
  await alice.until(
    "that it is on again",
    (rows) => rows.filter((row) => row === "* The bell is on").length === 3,
  );
  await bob.say("@alice three");
  await alice.untilRow("bob: @alice three");
  assert(alice.output.includes("\x07"));
});

testOnTerminal(
  "/me is an action, and /reply quotes what it answers",
  () =>
    withAliceAndBob(async (alice, bob, url) => {
      await using carol = await ChatClient.connect(url, "carol");
      await alice.untilRow("* carol joined");
      await alice.type("/reply yes\r");
      await alice.untilRow("* There is no message to answer");
      await bob.say("who has the keys\nfor the boat?");
      await carol.say("not I");
      await alice.untilRow("carol: not I");
      await alice.type("/me waves\r");
      await alice.untilRow("* alice waves");
      await alice.type("/reply a pity\r/reply @b\tme\r/reply @dave me\r");
      await alice.untilRow("* There is no message of dave to answer");
      const texts: string[] = [];
      // What is refused is said here and now, while the last reply may be on its way.
      while (texts.length < 3) {
        const frame = await bob.next();
        if (frame.startsWith("c2/MSG alice")) texts.push(frame.split("; ").slice(3).join("; "));
      }
      assertEquals((await bob.drain()).filter((frame) => frame.startsWith("c2/MSG alice")), []);
      assertEquals(texts, [
        "/me waves",
        "> carol: not I\na pity",
        "> bob: who has the keys for the boat?\nme",
      ]);
      await alice.until("the quote", (rows) => rows.includes("alice: > bob: who has the keys for the boat?"));
    }),
);

testOnTerminal(
  "the status row has the server, its people and the connection, in every window",
  () =>
    withAliceAndBob(async (alice, bob) => {
      await alice.until("the row", (rows) => /^Test Server · 2 here · [0-9]+ ms$/.test(rows.at(-2) ?? ""));
      await bob.send("c2/DISCONNECT");
      await alice.until(
        "one user less",
        (rows) => rows.at(-2)?.startsWith("Test Server · 1 here · ") ?? false,
      );
      await alice.type("/help\r");
      await alice.resize(24, 40);
      await alice.until("the help in a narrow window", (rows) => rows.includes("/bell on|off"));
      const rows = alice.rows.slice(alice.rows.indexOf("/bell on|off"));
      assertEquals(rows.slice(0, 4), [
        "/bell on|off",
        "  ring at mentions and",
        "  answers, or not",
        "/resend",
      ]);
      // Rows that do not fit leave room for the line itself.
      await alice.resize(24, 2);
      await alice.until("the line", (rows) => rows.at(-1) === "alice>");
    }),
);

testOnTerminal(
  "/search shows the messages that contain all words, and without words goes on",
  () =>
    withAliceAndBob(async (alice, bob) => {
      for (let n = 0; n < 21; n++) await bob.say(`Tea ${n}`);
      await alice.untilRow("bob: Tea 20");
      await alice.type("/search\r");
      await alice.untilRow("* There is nothing to search on: /search WORDS");
      await alice.type("/search te tea\r");
      await alice.untilRow("* /search shows older ones");
      await alice.type("/search\r");
      await alice.untilRow('* There are no older messages with "te tea"');
      const end = '-- messages found by "te tea" end here --';
      assertEquals(said(alice).slice(-4, -1), [
        "bob: Tea 0",
        end,
        '* There are no older messages with "te tea"',
      ]);
      await alice.type("/search coffee\r");
      await alice.untilRow('* There are no messages with "coffee"');
    }),
);
