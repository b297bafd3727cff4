// Says in the chat what programs post, and answers with the id of the message.
import { createServer } from "node:http";
import process from "node:process";
import { Chat } from "@chatter/client";

const { CHAT_URL = "ws://localhost:5000", HOOK_PORT = "8090", HOOK_TOKEN } = process.env;
if (!HOOK_TOKEN) throw new Error("HOOK_TOKEN is missing: a secret that those who post have too");
const TEXT_MAX = 4000;

const chat = await Chat.connect(CHAT_URL, { name: "hooks", waitMs: 180_000 });

async function take(request, response) {
  const answer = (status, text) => response.writeHead(status).end(`${text}\n`);
  if (request.headers.authorization !== `Bearer ${HOOK_TOKEN}`) return answer(401, "The token is wrong");
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > TEXT_MAX) return answer(413, `At most ${TEXT_MAX} characters are allowed`);
  }
  await chat.say(text).then((id) => answer(200, id), ({ message }) => answer(422, message));
}

// A sender that breaks off is no reason to end.
const server = createServer((request, response) => take(request, response).catch(() => response.destroy()));
server.listen(Number(HOOK_PORT), "127.0.0.1", () => console.log(`Posts go to port ${server.address().port}`));
process.once("SIGINT", () => chat.leave());
const { error } = await chat.ended;
server.close();
if (error.code !== "LEFT") throw error;
