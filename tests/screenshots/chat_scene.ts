/**
 * The chat page with some people in the middle of a conversation, for the documents.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Stage } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { type Scene, VIEWS } from "./screenshots.ts";

async function say(person: ChatClient, text: string): Promise<void> {
  person.send(`c2/MSG 1; ${text}`);
  await person.drain();
}

export const chatScene: Scene = async (stage: Stage, shoot) => {
  for (const [suffix, view] of Object.entries(VIEWS)) {
    await using server = await startTestChat({ name: "The Railway Inn" });
    await using bob = await ChatClient.connect(server.url, "Bob B.");
    await using chloe = await ChatClient.connect(server.url, "Chloé 🌻");
    await using _eleni = await ChatClient.connect(server.url, "Ελένη");
    await say(bob, "Good morning! Is the 7:42 on time?");
    await say(chloe, "It left ten minutes late.\nBut it makes up for it after the tunnel.");
    await say(chloe, "The board is at https://trains.example/live (if the Wi-Fi lets you).");
    const alice = await ChatPage.join(stage, server.url, "alice", view);
    await alice.fill("#text", "I am on it. If I drop out, I am in the tunnel.");
    await alice.page.click("#composer .primary");
    await alice.page.waitForSelector("#rows .own");
    await say(bob, "@alice and back you are, with *nothing* missed. What does `tail 7:42` say?");
    await say(chloe, "/me waves from the platform");
    await say(bob, "👋🏽🚂");
    await alice.page.waitForFunction(() => document.querySelector("#rows .large") !== null);
    await using dora = await ChatClient.open(server.url, true);
    await dora.ask("c2/CONNECT Dora");
    dora.send("c2/TYPING");
    await alice.reads("#typing", "Dora is typing…");
    // Not the time of the picture's making: each new picture would differ.
    await alice.page.$$eval("time", (times) => times.forEach((time) => time.textContent = "7:58 AM"));
    await alice.page.mouse.move(1, 1);
    await shoot(alice.page, suffix);
    await alice.page.close();
  }
};
