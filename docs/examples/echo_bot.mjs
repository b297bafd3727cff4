// Repeats what follows "!echo ", and changes or deletes its answer when the question is changed or deleted.
import process from "node:process";
import { Chat, ChatError } from "@chatter/client";

const [url = "ws://localhost:5000", name = "echo"] = process.argv.slice(2);
const PREFIX = "!echo ";
const answers = new Map(); // The id of the answer by that of the question; the newest hundred.

// After a crash the server still holds the name for two minutes.
const chat = await Chat.connect(url, { name, waitMs: 180_000 });
chat.on("lost", ({ reason }) => console.error(`${reason}; reconnecting`));
chat.on("reconnected", ({ isResumed }) => console.error(isResumed ? "Missed nothing" : "A new session"));
process.once("SIGINT", () => chat.leave());

async function answer({ type, message: { uuid, text } }) {
  const said = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : "";
  const before = answers.get(uuid);
  if (type === "message" && said !== "") answers.set(uuid, await chat.say(said));
  else if (before !== undefined && said !== "") await chat.edit(before, said);
  else if (before !== undefined && answers.delete(uuid)) await chat.delete(before);
  if (answers.size > 100) answers.delete(answers.keys().next().value);
}

for await (const event of chat.events("message", "edited", "deleted")) {
  if (event.message.isOwn) continue; // Else a bot answers itself.
  await answer(event).catch((error) => {
    if (!(error instanceof ChatError)) throw error;
    console.error(`${error.code}: ${error.message}`); // The bot goes on: one answer was refused.
  });
}
