// A small c2 chat client in the plain JavaScript one would put on a web page: `new WebSocket(url)` and its
// handlers, driven by one command a line on stdin and reporting one JSON object a line on stdout.
// It was written from the seed page of the c2 protocol alone and imports nothing of Chatter, so that it can
// show that a stranger's client works with Chatter's server. It is deliberately not a chat program for people:
// it does not check what it sends, keeps no state of the chat, and never reconnects or retries.
//
//   deno run --allow-net browser_style.js ws://host:port

const socket = new WebSocket(Deno.args[0]);
socket.binaryType = "arraybuffer";

// The last request sent that the page says is answered with ACKNOWLEDGE: the answers do not name their question.
let lastAsked = "";

// ---- What the page says a client sends ----

function send(text) {
  if (!/^c2\/(PING|DISCONNECT)\b/.test(text)) lastAsked = text;
  socket.send(text);
}

function withLineBreaks(text) {
  return text.replaceAll("\\n", "\n");
}

const commands = {
  connect: (name) => send(`c2/CONNECT ${name}`),
  say: (text) => send(`c2/MSG ${Date.now()}; ${withLineBreaks(text)}`),
  "say_at": (rest) => {
    const [timestamp, text] = firstWord(rest);
    send(`c2/MSG ${timestamp}; ${withLineBreaks(text)}`);
  },
  users: () => send("c2/QUERY active_users"),
  edit: (rest) => {
    const [uuid, text] = firstWord(rest);
    send(`c2/QUERY update_message; ${uuid}; ${withLineBreaks(text)}`);
  },
  rename: (name) => send(`c2/UPDATE username; ${name}`),
  disconnect: () => send("c2/DISCONNECT"),
  ping: (timestamp) => send(timestamp === "" ? "c2/PING" : `c2/PING ${timestamp}`),
  raw: (text) => send(text),
  // A web page cannot cut its TCP connection, but it can be killed; then it reports no close event.
  drop: () => Deno.exit(0),
  quit: () => {
    socket.close(1000);
    setTimeout(() => finish(1006, ""), 3000); // for a server that never answers the close
  },
};

// ---- What the page says a server sends ----

// The frame's parts by name, or undefined when it is nothing the page describes.
function parse(frame) {
  const match = /^c2\/([A-Z]+)(?: (.*))?$/s.exec(frame);
  if (!match) return undefined;
  const [, type, body = ""] = match;
  switch (type) {
    case "ACKNOWLEDGE": {
      const list = lastAsked === "c2/QUERY active_users" && /^\[(.*)\]$/s.exec(body);
      if (!list) return { type, response: body };
      return { type, response: body, list: list[1] === "" ? [] : list[1].split(",") };
    }
    case "ERROR":
      return { type, message: body };
    case "MSG":
      return fields(type, body, /^(?<username>[^;]*); ?(?<timestamp>[^;]*); ?(?<uuid>[^;]*); ?(?<text>.*)$/s);
    case "UPDATE":
      return fields(type, body, /^(?<username>[^;]*); ?(?<property>[^;]*); ?(?<value>.*)$/s);
    case "DISCONNECT":
      return fields(type, body, /^(?<kind>ban); ?(?<username>[^;]*); ?(?<message>.*)$/s) ??
        fields(type, body, /^(?<kind>disconnect|lost_connection); ?(?<username>.*)$/s);
    case "PING":
      return fields(type, body, /^(?<timestamp>[^;]*); ?(?<server_id>.*)$/s) ?? { type, server_id: body };
  }
  return undefined;
}

function fields(type, body, shape) {
  const match = shape.exec(body);
  return match ? { type, ...match.groups } : undefined;
}

// ---- The connection ----

socket.onopen = () => {
  report({ event: "open" });
  readCommands();
};

socket.onmessage = ({ data }) => {
  if (typeof data === "string") report({ event: "frame", text: data, parsed: parse(data) });
  else report({ event: "binary", bytes: data.byteLength }); // the page knows only text
};

// Deno reports a lost connection as code 0; a browser says 1006.
socket.onclose = ({ code, reason }) => finish(code || 1006, reason);

function finish(code, reason) {
  report({ event: "close", code, reason });
  Deno.exit(0);
}

// ---- stdin and stdout, in place of a page's buttons and text ----

function report(event) {
  writeAll(Deno.stdout, JSON.stringify(event) + "\n");
}

function writeAll(out, text) {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(out.writeSync(bytes));
}

function firstWord(line) {
  const space = line.indexOf(" ");
  return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
}

function obey(line) {
  const [name, rest] = firstWord(line);
  if (Object.hasOwn(commands, name)) commands[name](rest);
  else if (line !== "") writeAll(Deno.stderr, `browser_style: no such command: ${line}\n`);
}

// Commands wait on stdin until the connection is open; the end of stdin means quit.
async function readCommands() {
  let pending = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop();
    lines.forEach(obey);
  }
  obey(pending);
  commands.quit();
}
