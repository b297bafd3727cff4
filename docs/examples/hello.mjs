import process from "node:process";
import { join } from "./client.mjs";

const [url = "ws://localhost:5000", name = "guest", text = "hello"] = process.argv.slice(2);
const chat = await join(url, name, {
  message: ({ name, text }) => console.log(`${name}: ${text}`),
  closed: (code, reason) => console.log(`closed: ${code} ${reason}`),
});
console.log(`on ${chat.server} are ${(await chat.people()).join(", ")}`);
await chat.say(text);
chat.leave();
