import process from "node:process";
import { Chat } from "@chatter/client";

const chat = await Chat.connect(process.argv[2] ?? "ws://localhost:5000", { name: "clock" });
process.once("SIGINT", () => chat.leave());
await chat.say("I say what time it is: !time");
for await (const { text, isOwn } of chat.messages()) {
  if (!isOwn && text === "!time") await chat.say(`It is ${new Date().toUTCString()}`);
}
