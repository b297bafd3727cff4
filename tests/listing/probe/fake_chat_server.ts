/**
 * Chat servers for the prober to ping: one that answers correctly, and hostile ones.
 *
 * @module
 */
import { writeAll } from "../../../src/write_all.ts";

export interface FakeChatServer extends AsyncDisposable {
  readonly port: number;
  /** The Host headers of the requests received. */
  readonly hosts: (string | null)[];
  /** The texts received over WebSockets. */
  readonly texts: string[];
  /** Requests received or, without HTTP, connections. */
  connections(): number;
}

/** A WebSocket server that answers each text by `answer`; default: the correct answer of `id`. */
export function startChatServer(
  options: {
    id?: number;
    answer?: (text: string, socket: WebSocket) => void;
    hostname?: string;
    tls?: { cert: string; key: string };
  } = {},
): FakeChatServer {
  const { id = 7, hostname = "127.0.0.1", tls = {} } = options;
  const answer = options.answer ?? ((text, socket) => socket.send(`${text}; ${id}`));
  const hosts: (string | null)[] = [];
  const texts: string[] = [];
  const sockets = new Set<WebSocket>();
  const server = Deno.serve({ port: 0, hostname, onListen: () => {}, ...tls }, (request) => {
    hosts.push(request.headers.get("host"));
    const { socket, response } = Deno.upgradeWebSocket(request);
    sockets.add(socket);
    socket.onclose = () => sockets.delete(socket);
    socket.onerror = () => sockets.delete(socket);
    socket.onmessage = ({ data }) => {
      texts.push(data);
      answer(data, socket);
    };
    return response;
  });
  return {
    port: server.addr.port,
    hosts,
    texts,
    connections: () => hosts.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await server.shutdown();
    },
  };
}

/** A TCP server that calls `behave` for each connection and ignores its errors. */
export function startRawServer(
  behave: (conn: Deno.TcpConn, send: (text: string) => Promise<void>) => Promise<void>,
): FakeChatServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const under: Promise<void>[] = [];
  const hosts: (string | null)[] = [];
  let accepted = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      accepted++;
      // One byte per character, so that a frame can be written as text.
      const send = (text: string) => writeAll(conn, Uint8Array.from(text, (char) => char.charCodeAt(0)));
      // An error is expected: the prober hangs up on a hostile server.
      under.push(behave(conn, send).catch(() => {}).finally(() => close(conn)));
    }
  })();
  return {
    port: listener.addr.port,
    hosts,
    texts: [],
    connections: () => accepted,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) close(conn);
      await accepting;
      await Promise.all(under);
    },
  };
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

/** The correct answer to an opening handshake received on `conn`. */
export async function acceptHandshake(conn: Deno.Conn): Promise<string> {
  const head = await readHead(conn);
  const key = /^sec-websocket-key: (.*)$/im.exec(head)?.[1]?.trim() ?? "";
  const bytes = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${btoa(String.fromCharCode(...digest))}`,
    "\r\n",
  ].join("\r\n");
}

/** Reads up to the blank line after a request's head. */
export async function readHead(conn: Deno.Conn): Promise<string> {
  let head = "";
  const bytes = new Uint8Array(4096);
  while (!head.includes("\r\n\r\n")) {
    const count = await conn.read(bytes);
    if (count === null) return head;
    head += new TextDecoder().decode(bytes.subarray(0, count));
  }
  return head;
}
