/**
 * The transcripts of all documents, each played against a real server: every client gets exactly the
 * frames that are written, in the order in which they are written, and nothing else.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { RunningChat } from "../../chat/mod.ts";
import { limitsOf } from "../../src/cli/server_flags.ts";
import { decodeClientFrame, decodeServerFrame } from "../../src/protocol/codec.ts";
import { type FaultName, FAULTS } from "../../src/protocol/faults.ts";
import type { ClientFrame, DepartureKind, Query, ServerFrame } from "../../src/protocol/frames.ts";
import { DEFAULT_LIMITS, LIMITS } from "../../src/protocol/limits.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import {
  overTransportsAtOnce,
  type StartTestChat,
  startTestChat,
  TRANSPORT_NAMES,
} from "../support/chat_server.ts";
import { parse } from "../support/command_line.ts";
import { documentPaths, readDocument } from "../support/documents.ts";
import { gatewaysInProcess } from "../support/gateways_in_process.ts";
import { Bindings, parseTranscripts, type Step, type Transcript } from "../support/transcript.ts";

const TOKEN_43 = "t".repeat(43);

const transcripts = (await Promise.all(
  (await documentPaths()).map(async (file) => parseTranscripts(file, await readDocument(file))),
)).flat();

/** On threads are played as many as it takes to see each kind of step there. */
const onThreads = coverOf(transcripts.filter(({ flags }) => !flags.includes("--transport")));

for (const transcript of transcripts) {
  const { file, line, heading, flags } = transcript;
  const name = `transcript at ${file}:${line} (${heading}) is what the server does`;
  // One that names its transport holds for that one alone.
  if (flags.includes("--transport")) Deno.test(name, () => play(transcript, startTestChat));
  else Deno.test(`over each transport: ${name}`, () => playOverEachTransport(transcript));
}

async function playOverEachTransport(transcript: Transcript): Promise<void> {
  await overTransportsAtOnce((start) => play(transcript, start));
  if (!onThreads.has(transcript)) return;
  const transport = TRANSPORT_NAMES[transcript.line % TRANSPORT_NAMES.length]!;
  using _inProcess = gatewaysInProcess();
  await play(transcript, (options) => startTestChat({ transport, workers: 2, ...options }));
}

/** Some of these that together have every kind of step: always the one with the most that are not chosen yet. */
function coverOf(transcripts: readonly Transcript[]): Set<Transcript> {
  const left = new Map(transcripts.map((transcript) => [transcript, new Set(transcript.steps.map(kindOf))]));
  const chosen = new Set<Transcript>();
  while (true) {
    const [next] = [...left].toSorted(([, a], [, b]) => b.size - a.size);
    if (next === undefined || next[1].size === 0) return chosen;
    chosen.add(next[0]);
    for (const [transcript, kinds] of left) left.set(transcript, kinds.difference(next[1]));
  }
}

/** What a step is, as far as threads could make a difference: which error it is, or which list, they cannot. */
function kindOf(step: Step): string {
  if (step.kind === "close") return `close ${step.code} ${step.reason}`;
  if (step.kind === "act") return `act ${step.what.split(" ")[0]}`;
  return `${step.kind} ${step.kind === "send" ? sent(step) : /^c2\/(?:DISCONNECT \w+|\w+)/.exec(step.text)}`;
}

/** The type of a client's frame, or its query; undefined if it is wrong. */
function sent({ text }: { readonly text: string }): ClientFrame["type"] | Query["query"] | undefined {
  const filled = text.replaceAll(/<uuid[0-9]+>/g, crypto.randomUUID()).replaceAll(/<token[0-9]+>/g, TOKEN_43)
    .replaceAll(/<position[0-9]+>/g, "7");
  const frame = decodeClientFrame(filled, DEFAULT_LIMITS, true);
  if (!("type" in frame)) return undefined;
  return frame.type === "QUERY" ? frame.query : frame.type;
}

Deno.test("transcripts show every frame and query of a client", () => {
  // By the types, so that a frame that is added has to be listed, and then to be shown.
  const shown: Record<Exclude<ClientFrame["type"], "QUERY"> | Query["query"], boolean> = {
    CONNECT: false,
    MSG: false,
    UPDATE: false,
    DISCONNECT: false,
    PING: false,
    RESUME: false,
    SEND: false,
    TYPING: false,
    "active_users": false,
    roster: false,
    "update_message": false,
    "delete_message": false,
    history: false,
    search: false,
    "server_info": false,
  };
  const types = stepsOf("send").map(sent);
  assertEquals(Object.keys(shown).filter((type) => !types.some((sent) => sent === type)), []);
});

Deno.test("transcripts show every frame of a server and every departure", () => {
  const shown: Record<Exclude<ServerFrame["type"], "DISCONNECT"> | DepartureKind, boolean> = {
    ACKNOWLEDGE: false,
    ERROR: false,
    MSG: false,
    UPDATE: false,
    PING: false,
    SESSION: false,
    JOIN: false,
    TYPING: false,
    AWAY: false,
    BACK: false,
    disconnect: false,
    "lost_connection": false,
    ban: false,
    kick: false,
  };
  for (const { text } of stepsOf("receive")) {
    const frame = decodeServerFrame(
      text.replaceAll(/<uuid[0-9]+>/g, crypto.randomUUID()).replaceAll("<id>", "7").replaceAll("<time>", "5")
        .replaceAll(/<token[0-9]+>/g, TOKEN_43).replaceAll(/<position[0-9]+>/g, "7"),
    );
    assert(frame !== undefined, `No frame of a server: ${text}`);
    shown[frame.type === "DISCONNECT" ? frame.kind : frame.type] = true;
  }
  assertEquals(Object.entries(shown).filter(([, isShown]) => !isShown), []);
});

Deno.test("transcripts show every fault that a client can cause", () => {
  // RESUME_TOO_MUCH takes 262,144 bytes of broadcasts: replay_buffer_test.ts.
  const notByClients: FaultName[] = ["STORE_FAILED", "INTERNAL", "RESUME_TOO_MUCH"];
  const shown = stepsOf("receive").map(({ text }) => text).filter((text) => text.startsWith("c2/ERROR "));
  const missing = Object.entries(FAULTS).filter(([name, text]) => {
    const [before = "", after = ""] = text.split(/\{\w+\}/);
    return !notByClients.includes(name as FaultName) &&
      !shown.some((line) => line.startsWith(`c2/ERROR ${before}`) && line.endsWith(after));
  });
  assertEquals(missing.map(([name]) => name), []);
});

function stepsOf<Kind extends Step["kind"]>(kind: Kind): Extract<Step, { kind: Kind }>[] {
  return transcripts.flatMap(({ steps }) =>
    steps.filter((step): step is Extract<Step, { kind: Kind }> => step.kind === kind)
  );
}

async function play(transcript: Transcript, start: StartTestChat): Promise<void> {
  await using stage = await Stage.open(transcript, start);
  for (const step of transcript.steps) await stage.play(step);
  await stage.expectNothingMore();
}

const OPTS_IN = "opts into c2.live";

/** One transcript's server and clients. */
class Stage implements AsyncDisposable {
  readonly #file: string;
  readonly #server: RunningChat;
  readonly #clients: Map<string, ChatClient>;
  readonly #bindings = new Bindings();
  /** Those whom `*` means. */
  readonly #connected = new Set<string>();
  readonly #connecting = new Set<string>();
  readonly #ended = new Set<string>();
  /** Those of the extended mode. */
  readonly #live: ReadonlySet<string>;
  /** Frames of each client that the transcript has told of. */
  readonly #told = new Map<string, number>();

  private constructor(
    file: string,
    server: RunningChat,
    clients: Map<string, ChatClient>,
    live: ReadonlySet<string>,
  ) {
    this.#live = live;
    this.#file = file;
    this.#server = server;
    this.#clients = clients;
  }

  /** A server with the transcript's flags, and a socket for every client that it names. */
  static async open({ file, line, flags, steps }: Transcript, start: StartTestChat): Promise<Stage> {
    const command = parse(["chat", ...flags]);
    if (command.kind !== "chat") throw new Error(`${file}:${line}: no flags of chat: ${flags.join(" ")}`);
    const { name, transport, limitLoopback } = command.values;
    const server = await start({
      name,
      limitLoopback,
      limits: limitsOf(LIMITS, command.values),
      adminToken: TOKEN,
      ...(flags.includes("--transport") && { transport }),
    });
    const names = new Set(steps.map(({ client }) => client).filter((client) => /^[A-RT-Z]$/.test(client)));
    const live = new Set(
      steps.filter((step) => step.kind === "act" && step.what === OPTS_IN).map(({ client }) => client),
    );
    const clients = new Map<string, ChatClient>();
    for (const name of names) clients.set(name, await ChatClient.open(server.url, live.has(name)));
    return new Stage(file, server, clients, live);
  }

  async play(step: Step): Promise<void> {
    switch (step.kind) {
      case "send":
        if (/^c2\/(?:CONNECT|RESUME)/.test(step.text)) this.#connecting.add(step.client);
        this.#client(step).send(this.#bindings.fill(step.text));
        return;
      case "act":
        return await this.#act(step);
      case "receive":
        for (const name of step.client === "*" ? this.#connected : [step.client]) {
          await this.#receive(name, step);
        }
        return;
      case "close": {
        const { code, reason } = await this.#client(step).closed;
        assertEquals({ code, reason }, { code: step.code, reason: step.reason }, this.#place(step));
        this.#end(step.client);
      }
    }
  }

  async #act(step: Step & { kind: "act" }): Promise<void> {
    switch (`${step.client === "S" ? "server" : "client"} ${step.what}`) {
      case "client sends 3 bytes of binary":
        this.#client(step).send(new Uint8Array([1, 2, 3]));
        return;
      case `client ${OPTS_IN}`:
        // It was opened so.
        return;
      case "client closes its socket":
        this.#client(step).socket.close();
        await this.#client(step).closed;
        this.#end(step.client);
        return;
      case "client comes back on a new socket":
        this.#expectNothingMoreAfterEnd(step.client, this.#client(step));
        this.#clients.set(step.client, await ChatClient.open(this.#server.url, this.#live.has(step.client)));
        this.#ended.delete(step.client);
        this.#told.delete(step.client);
        return;
      case "server stops":
        await this.#server.stop();
        return;
      default:
        if (step.client === "S" && await this.#moderate(step.what)) return;
        throw new Error(`${this.#place(step)}: nothing that can be done: ${step.what}`);
    }
  }

  /** Does what a transcript says that the operator does. */
  async #moderate(what: string): Promise<boolean> {
    const api = new AdminApi(this.#server.url);
    const [, action, rest = ""] = /^(bans|lifts|kicks|announces) (.+)$/.exec(what) ?? [];
    const [, name, withAddress, message] = /^([^:]*?)( and the address)?: (.+)$/.exec(rest) ?? [];
    const answer =
      await (action === "bans"
        ? api.post("bans", { name, withAddress: withAddress !== undefined, message })
        : action === "lifts"
        ? api.delete(`bans?name=${encodeURIComponent(rest)}`)
        : action === "kicks"
        ? api.post("kick", { name: rest })
        : action === "announces"
        ? api.post("announce", { text: rest })
        : undefined);
    return answer !== undefined && answer.status < 300;
  }

  async #receive(name: string, step: Step & { kind: "receive" }): Promise<void> {
    const frame = await this.#client({ ...step, client: name }).next();
    this.#told.set(name, (this.#told.get(name) ?? 0) + 1);
    if (!this.#bindings.match(step.text, frame)) {
      assertEquals(frame, step.text, `${this.#place(step)}: ${name} got another frame`);
    }
    if (!this.#connecting.delete(name)) return;
    if (frame.startsWith("c2/ACKNOWLEDGE ")) this.#connected.add(name);
  }

  /** What came beyond the transcript, by PING where the socket is open, else by count. */
  async expectNothingMore(): Promise<void> {
    for (const [name, client] of this.#clients) {
      if (this.#ended.has(name)) this.#expectNothingMoreAfterEnd(name, client);
      else assertEquals(await client.drain(), [], `${this.#file}: client ${name} got more than is written`);
    }
  }

  #expectNothingMoreAfterEnd(name: string, { seen }: ChatClient): void {
    const more = seen.slice(this.#told.get(name) ?? 0);
    assertEquals(more, [], `${this.#file}: client ${name} got more than is written`);
  }

  #end(name: string): void {
    this.#ended.add(name);
    this.#connected.delete(name);
  }

  #client({ client, line }: Step): ChatClient {
    const found = this.#clients.get(client);
    if (found === undefined) throw new Error(`${this.#file}:${line}: there is no client ${client}`);
    return found;
  }

  #place(step: Step): string {
    return `${this.#file}:${step.line}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
    await this.#server.stop();
  }
}
