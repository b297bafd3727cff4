/**
 * Measures the cost of event streams of a large list: streams over real sockets while random servers change. It
 * prints changes made and sent, bytes per second of a stream, its resets, and the process's CPU time and memory. The
 * readers are a separate process. It ends after 20 s.
 *
 *     deno run -A bench/event_streams.ts [--streams 1000] [--servers 10000] [--changes 2000, a second]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { ChangeLog } from "../listing/list/change_log.ts";
import { EventStreams } from "../listing/http/event_streams.ts";
import { numbersOrEnd } from "./comparison/options.ts";

const SECONDS = 20;

if (Deno.args[0] === "--read") await read(Deno.args[1]!, Number(Deno.args[2]));
else {
  const { streams, servers, changes } = numbersOrEnd("event_streams", Deno.args, {
    streams: { otherwise: 1000, min: 1, max: 100_000 },
    servers: { otherwise: 10_000, min: 1, max: 1_000_000 },
    changes: { otherwise: 2000, min: 1, max: 1_000_000 },
  });
  await measure(streams, servers, changes);
}

async function read(url: string, streams: number): Promise<void> {
  let bytes = 0;
  let resets = 0;
  const reading = Array.from({ length: streams }, async (_, i) => {
    const response = await fetch(url);
    for await (const piece of response.body!) {
      bytes += piece.length;
      if (i === 0) resets += new TextDecoder().decode(piece).split("event: reset").length - 1;
    }
  });
  await Promise.all(reading);
  console.log(`one stream: ${Math.round(bytes / streams / SECONDS)} bytes a second, ${resets} resets`);
}

function shown(id: number, connectedUsers: number): string {
  const address = "chat.example.org:5000";
  const rest = { maxUsers: 50, onlineSince: 1_700_000_000_000, roundTripMs: 12, uptime: 0.998 };
  return JSON.stringify({ id, displayName: "A server with some name", address, connectedUsers, ...rest });
}

async function measure(streams: number, servers: number, perSecond: number): Promise<void> {
  const changes = new ChangeLog("bench");
  const limits = { maxEventStreams: streams, maxEventStreamsPerOrigin: streams };
  const refresh = () => Promise.resolve();
  const events = new EventStreams({ changes, refresh, limits, steadyClock: () => performance.now() });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const stream = events.open("127.0.0.1", changes.position());
    return stream instanceof ReadableStream
      ? new Response(stream)
      : new Response(stream.text, { status: 503 });
  });
  const readers = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      import.meta.filename!,
      "--read",
      `http://127.0.0.1:${server.addr.port}/`,
      String(streams),
    ],
  }).spawn();
  while (events.size < streams) await new Promise((resolve) => setTimeout(resolve, 50));
  let made = 0;
  const changing = setInterval(() => {
    for (let i = 0; i < perSecond / 20; i++) {
      const id = Math.floor(Math.random() * servers);
      changes.note(id, shown(id, made), shown(id, ++made));
    }
  }, 50);
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const { user, system } = process.cpuUsage(before);
  clearInterval(changing);
  console.log(`${streams} streams, ${made} changes made, ${changes.seq} sent`);
  console.log(
    `CPU time: ${((user + system) / 1e6).toFixed(2)} s of ${SECONDS} s, making the changes included`,
  );
  console.log(`memory: ${Math.round(Deno.memoryUsage().rss / 1e6)} MB`);
  events.close();
  await readers.status;
  await server.shutdown();
}
