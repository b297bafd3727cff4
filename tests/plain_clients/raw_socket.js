// A small c2 chat client on a bare TCP socket: it brings its own minimal RFC 6455 client (handshake, masking,
// fragments, all three lengths, pong, close), takes one command a line on stdin and reports one JSON object a
// line on stdout. It was written from the seed page of the c2 protocol (and RFC 6455) alone, imports nothing of
// Chatter, and does without a WebSocket class, so that nothing is shared with the server it is tried on.
// It is deliberately not a general WebSocket library (no TLS, no extensions, no subprotocols) nor a chat
// program for people: it does not check what it sends and never reconnects.
//
//   deno run --allow-net raw_socket.js ws://host:port      or      node raw_socket.js ws://host:port

import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import process from "node:process";

const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const LONGEST_FRAME = 128 * 1024; // longer messages go out in fragments of this size

const url = new URL(process.argv[2]);
const key = randomBytes(16).toString("base64");
const socket = net.connect(Number(url.port || 80), url.hostname.replace(/^\[|\]$/g, ""));

let received = Buffer.alloc(0); // bytes not yet understood
let open = false; // the handshake is done
let closeSent = false;
let ending = { code: 1006, reason: "" }; // what to report at the end, 1006 unless a close frame says better
let message; // { opcode, parts } of the message whose fragments are coming in
let lastRequest; // the last request the page says is answered with ACKNOWLEDGE

// ---- RFC 6455: out ----

function sendFrame(opcode, payload, fin = true) {
  const n = payload.length;
  const head = Buffer.alloc(n < 126 ? 2 : n < 65536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (n < 126 ? n : n < 65536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(n, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(n), 2);
  const mask = randomBytes(4);
  socket.write(Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4])]));
}

function sendText(text) {
  if (closeSent) return;
  const bytes = Buffer.from(text, "utf8");
  for (let start = 0; start === 0 || start < bytes.length; start += LONGEST_FRAME) {
    const part = bytes.subarray(start, start + LONGEST_FRAME);
    sendFrame(start === 0 ? TEXT : CONTINUATION, part, start + LONGEST_FRAME >= bytes.length);
  }
}

function sendClose(payload) {
  if (closeSent) return;
  closeSent = true;
  sendFrame(CLOSE, payload);
  setTimeout(() => socket.destroy(), 3000); // for a server that never ends the connection
}

// The server broke RFC 6455: nothing more of what it sends is read.
function fail(code, reason) {
  ending = { code: 1006, reason };
  sendClose(Buffer.from([code >> 8, code & 255]));
  socket.removeAllListeners("data").resume().end();
  received = Buffer.alloc(0);
}

// ---- RFC 6455: in ----

function readHandshake() {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return;
  const head = received.subarray(0, end + 2).toString("latin1");
  const accept = createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  const accepted = /^sec-websocket-accept:[ \t]*(.*?)[ \t]*\r$/im.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 101") || accepted !== accept) return socket.destroy();
  received = received.subarray(end + 4);
  open = true;
  report({ event: "open" });
  readCommands();
}

// Takes one whole frame off the received bytes, or undefined while it is incomplete.
function takeFrame() {
  if (received.length < 2) return undefined;
  let n = received[1] & 0x7f;
  const start = n < 126 ? 2 : n === 126 ? 4 : 10;
  if (received.length < start) return undefined;
  if (n === 126) n = received.readUInt16BE(2);
  else if (n === 127) n = Number(received.readBigUInt64BE(2));
  if (received.length < start + n) return undefined;
  const [first, second] = received;
  const payload = received.subarray(start, start + n);
  received = received.subarray(start + n);
  return { fin: first >= 0x80, rsv: first & 0x70, opcode: first & 0x0f, masked: second >= 0x80, payload };
}

function onFrame({ fin, rsv, opcode, masked, payload }) {
  if (rsv || masked) return fail(1002, "reserved bits or a masked frame from the server");
  if (opcode >= 8 && (!fin || payload.length > 125)) return fail(1002, "bad control frame");
  if (opcode === PING) return closeSent || sendFrame(PONG, payload);
  if (opcode === PONG) return;
  if (opcode === CLOSE) {
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    ending = { code, reason: payload.subarray(2).toString("utf8") };
    return sendClose(payload.subarray(0, 2)); // the server ends the TCP connection
  }
  if (opcode > BINARY || (opcode === CONTINUATION) !== Boolean(message)) {
    return fail(1002, "unexpected frame");
  }
  message ??= { opcode, parts: [] };
  message.parts.push(payload);
  if (!fin) return;
  const { opcode: kind, parts } = message;
  message = undefined;
  onMessage(kind, Buffer.concat(parts));
}

function onMessage(opcode, bytes) {
  if (opcode === BINARY) return report({ event: "binary", bytes: bytes.length }); // the page knows only text
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail(1007, "text that is not UTF-8");
  }
  report({ event: "frame", text, parsed: parse(text) });
}

socket.on("connect", () => {
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, "Upgrade: websocket"];
  lines.push("Connection: Upgrade", `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13", "", "");
  socket.write(lines.join("\r\n"));
});
socket.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  if (!open) readHandshake();
  for (let frame; open && (frame = takeFrame());) onFrame(frame);
});
socket.on("error", () => {}); // "close" follows
socket.on("close", () => report({ event: "close", ...ending }, () => process.exit(0)));

// ---- c2: what the page says a server sends ----

function namesOf(type, body) {
  if (type === "MSG") return ["username", "timestamp", "uuid", "text"];
  if (type === "UPDATE") return ["username", "property", "value"];
  if (type === "ERROR") return ["message"];
  if (type === "ACKNOWLEDGE") return ["response"];
  if (type === "PING") return body.includes(";") ? ["timestamp", "server_id"] : ["server_id"];
  if (type === "DISCONNECT" && body.startsWith("ban;")) return ["kind", "username", "message"];
  if (type === "DISCONNECT" && /^(disconnect|lost_connection);/.test(body)) return ["kind", "username"];
}

function parse(frame) {
  const [head, body] = cut(frame, " ");
  const type = head.slice(3);
  const names = head.startsWith("c2/") ? namesOf(type, body) : undefined;
  const parsed = names && split(body, type, names);
  if (type === "ACKNOWLEDGE" && lastRequest === "c2/QUERY active_users" && /^\[[^]*\]$/.test(body)) {
    parsed.list = body === "[]" ? [] : body.slice(1, -1).split(",");
  }
  return parsed;
}

// Names the arguments between the semicolons (each with a space after it), the last one keeping whatever semicolons it has; undefined if too few.
function split(body, type, names) {
  const args = body.split(";");
  if (args.length < names.length) return undefined;
  args.push(args.splice(names.length - 1).join(";"));
  const entries = names.map((name, i) => [name, i === 0 ? args[i] : args[i].replace(/^ /, "")]);
  return { type, ...Object.fromEntries(entries) };
}

// ---- c2: what the page says a client sends, by command ----

function request(text) {
  if (!text.startsWith("c2/PING") && !text.startsWith("c2/DISCONNECT")) lastRequest = text;
  sendText(text);
}

function obey(line) {
  const [command, rest] = cut(line, " ");
  const [first, after] = cut(rest, " ");
  const lined = (text) => text.replaceAll("\\n", "\n");
  if (command === "connect") request("c2/CONNECT " + rest);
  else if (command === "say") request("c2/MSG " + Date.now() + "; " + lined(rest));
  else if (command === "say_at") request("c2/MSG " + first + "; " + lined(after));
  else if (command === "users") request("c2/QUERY active_users");
  else if (command === "edit") request("c2/QUERY update_message; " + first + "; " + lined(after));
  else if (command === "rename") request("c2/UPDATE username; " + rest);
  else if (command === "disconnect") request("c2/DISCONNECT");
  else if (command === "ping") request(rest === "" ? "c2/PING" : "c2/PING " + rest);
  else if (command === "raw") request(rest);
  else if (command === "drop") socket.destroy();
  else if (command === "quit") sendClose(Buffer.from([0x03, 0xe8])); // 1000
  else if (line !== "") process.stderr.write(`raw_socket: no such command: ${line}\n`);
}

function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function report(event, then) {
  process.stdout.write(JSON.stringify(event) + "\n", then);
}

// Commands wait on stdin until the connection is open; the end of stdin means quit.
function readCommands() {
  let pending = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk) => {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop();
    lines.forEach(obey);
  });
  process.stdin.on("end", () => {
    obey(pending);
    obey("quit");
  });
}
