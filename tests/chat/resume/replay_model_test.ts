/**
 * A model of replays over any number of resumes and restarts, with a real node and store, PROTOCOL.md §12.3: no client
 * is sent a text that is deleted or changed, anything from before it joined, or less than it missed.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChatMeters } from "../../../chat/meters.ts";
import { KvKeyStore } from "../../../chat/announce/identity_kv.ts";
import { Proofs } from "../../../chat/announce/proofs.ts";
import { Node } from "../../../chat/node.ts";
import { SettingsInForce } from "../../../chat/settings.ts";
import { KvBanStore } from "../../../chat/store/ban_store_kv.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { KvSessionStore } from "../../../chat/store/session_store_kv.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { input, NotingParticipant } from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const CLIENTS = 3;
const COUNTED = /^c2\/(?:MSG|UPDATE|DISCONNECT|JOIN) /;

interface Session {
  token: string;
  /** As PROTOCOL.md §12.2 counts. */
  position: number;
  /** The number of messages that were broadcast before it joined. */
  readonly joinedAt: number;
  /** The same, up to what it has read. */
  readUpTo: number;
}

/** A client of the extended mode. Without a participant its connection is lost, or it has none yet. */
interface Client {
  readonly name: string;
  participant: NotingParticipant | undefined;
  session: Session | undefined;
}

/** A node over one store that is started again and again, and an observer who misses nothing while it runs. */
class World {
  readonly clients: readonly Client[] = Array.from({ length: CLIENTS }, (_, n) => {
    return { name: `client ${n}`, participant: undefined, session: undefined };
  });
  /** The newest broadcast of each message, as the observer receives it, and the session that wrote it. */
  readonly #said = new Map<string, { frame: string; readonly author: Session }>();
  /** Ids of all MSG broadcasts, in order. */
  readonly #broadcasts: string[] = [];
  readonly #kv: Deno.Kv;
  #node!: Node;
  #observer!: NotingParticipant;
  #participants = 0;
  #texts = 0;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async start(): Promise<void> {
    const kv = this.#kv;
    const journal = new KvJournal(kv);
    const { log } = recordedLog();
    this.#node = await Node.start({
      id: 7,
      settings: new SettingsInForce({
        name: "Pub",
        address: undefined,
        allowedOrigins: undefined,
        trustProxy: false,
        limitLoopback: false,
        limits: DEFAULT_LIMITS,
      }),
      stores: {
        journal,
        retained: journal,
        bans: new KvBanStore(kv),
        sessions: new KvSessionStore(kv),
        keys: new KvKeyStore(kv),
        kv,
      },
      proofs: new Proofs(new Uint8Array(), []),
      sockets: () => [],
      fanout: undefined,
      soon: queueMicrotask,
      nowMs: () => 1_700_000_000_000,
      meters: new ChatMeters(),
      tracing: undefined,
      log,
    });
    this.#observer = this.#connect(false);
    await this.#send(this.#observer, `c2/CONNECT observer ${this.#participants}`);
  }

  /** As after a kill: no session ends. */
  async restart(): Promise<void> {
    await this.#node.stop();
    for (const client of this.clients) client.participant = undefined;
    await this.start();
  }

  stop(): Promise<void> {
    return this.#node.stop();
  }

  async join(client: Client): Promise<void> {
    if (client.participant !== undefined) return;
    const participant = this.#connect(true);
    const joinedAt = this.#broadcasts.length;
    const [answer, session, ...frames] = await this.#send(participant, `c2/CONNECT ${client.name}`);
    // Its session is held.
    if (answer!.startsWith("c2/ERROR Username is ")) return;
    client.participant = participant;
    client.session = { ...sessionOf(session!), joinedAt, readUpTo: joinedAt };
    this.#count(client, frames);
    this.#readAll();
  }

  async say(client: Client): Promise<void> {
    await this.#act(client, `c2/MSG 1; text ${this.#texts++}`);
  }

  /** Renames to another name and back, so that its messages have several. */
  async rename(client: Client): Promise<void> {
    await this.#act(client, `c2/UPDATE username; other ${client.name}`);
    await this.#act(client, `c2/UPDATE username; ${client.name}`);
  }

  async change(client: Client, n: number, isDeletion: boolean): Promise<void> {
    const own = [...this.#said].filter(([, { author, frame }]) =>
      author === client.session && !frame.endsWith("; ")
    );
    const uuid = own[n % own.length]?.[0];
    if (uuid === undefined) return;
    await this.#act(
      client,
      isDeletion
        ? `c2/QUERY delete_message; ${uuid}`
        : `c2/QUERY update_message; ${uuid}; text ${this.#texts++}`,
    );
  }

  async lose(client: Client): Promise<void> {
    if (client.participant === undefined) return;
    this.#node.sequencer.submit(client.participant, { type: "LOST" });
    client.participant = undefined;
    await this.#node.sequencer.idle();
    this.#readAll();
  }

  /** Resumes from the client's own position and `offset`, which is 0 for an honest client. */
  async resume(client: Client, offset: number): Promise<void> {
    const { session } = client;
    if (session === undefined) return;
    const position = Math.min(Math.max(0, session.position + offset), Number.MAX_SAFE_INTEGER);
    const participant = this.#connect(true);
    const [answer, fresh, ...frames] = await this.#send(
      participant,
      `c2/RESUME ${session.token}; ${position}`,
    );
    if (answer!.startsWith("c2/ERROR ")) {
      assert(offset !== 0, `an honest client was refused: ${answer}`);
      client.participant = undefined;
      client.session = undefined;
      return this.#readAll();
    }
    const messages = frames.filter((frame) => frame.startsWith("c2/MSG "));
    for (const frame of messages) assertEquals(frame, this.#said.get(uuidOf(frame))!.frame, "as it is now");
    const uuids = messages.map(uuidOf);
    const allowed = this.#broadcasts.slice(session.joinedAt);
    assert(uuids.length <= allowed.length, "something from before it joined");
    assertEquals(uuids, allowed.slice(allowed.length - uuids.length));
    if (offset === 0) assertEquals(uuids, this.#broadcasts.slice(session.readUpTo), "exactly what it missed");
    client.participant = participant;
    Object.assign(session, sessionOf(fresh!));
    this.#count(client, frames);
    this.#readAll();
  }

  #connect(isLive: boolean): NotingParticipant {
    return new NotingParticipant(`session ${this.#participants++}`, [], "192.0.2.1", isLive);
  }

  async #act(client: Client, frame: string): Promise<void> {
    if (client.participant === undefined) return;
    const frames = await this.#send(client.participant, frame, client.session);
    assert(frames.includes("c2/ACKNOWLEDGE"), `${frame}: ${frames}`);
    this.#count(client, frames);
    this.#readAll();
  }

  /** Sends a frame and returns all that its sender received since it read last. */
  async #send(participant: NotingParticipant, frame: string, author?: Session): Promise<string[]> {
    this.#node.sequencer.submit(participant, input(frame, participant.isExtended));
    await this.#node.sequencer.idle();
    for (const frame of this.#observer.frames()) {
      if (!frame.startsWith("c2/MSG ")) continue;
      const uuid = uuidOf(frame);
      this.#said.set(uuid, { frame, author: this.#said.get(uuid)?.author ?? author! });
      this.#broadcasts.push(uuid);
    }
    return participant.frames();
  }

  #readAll(): void {
    for (const client of this.clients) this.#count(client, client.participant?.frames() ?? []);
  }

  #count({ participant, session }: Client, frames: readonly string[]): void {
    if (session === undefined || participant === undefined) return;
    session.position += frames.filter((frame) => COUNTED.test(frame)).length;
    session.readUpTo = this.#broadcasts.length;
  }
}

function uuidOf(frame: string): string {
  return frame.split("; ")[2]!;
}

function sessionOf(frame: string): { token: string; position: number } {
  const [token = "", position] = frame.slice("c2/SESSION ".length).split("; ");
  return { token, position: Number(position) };
}

const who = fc.nat({ max: CLIENTS - 1 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("join" as const), who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("say" as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("edit" as const, "delete" as const), who, n: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("lose" as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("resume" as const), who, offset: fc.constant(0) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("resume" as const),
      who,
      offset: fc.oneof(fc.integer({ min: -6, max: 2 }), fc.constantFrom(-(2 ** 53), 2 ** 53)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const), who }) },
);

Deno.test("no replay has a text that is deleted or changed, anything from before a session joined, or a hole", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: "max" }), async (steps) => {
      using kv = await openKv(":memory:");
      const world = new World(kv);
      await world.start();
      try {
        for (const step of steps) {
          const client = world.clients[step.who]!;
          if (step.do === "edit" || step.do === "delete") {
            await world.change(client, step.n, step.do === "delete");
          } else if (step.do === "resume") await world.resume(client, step.offset);
          else await world[step.do](client);
        }
      } finally {
        await world.stop();
      }
    }),
    runs(50),
  ));
