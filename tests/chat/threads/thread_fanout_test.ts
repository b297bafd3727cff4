/**
 * The fan-out over several gateways, compared with that of one thread: each session receives the same frames for any
 * sequence of operations.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fanout, type FanoutPort } from "../../../chat/delivery/fanout.ts";
import { CLOSE } from "../../../src/protocol/close_codes.ts";
import type { Participant } from "../../../chat/delivery/participant.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { toFrame } from "../../../chat/room/frame.ts";
import type { Packed, SessionNumber } from "../../../chat/gateway/threads/messages.ts";
import {
  type FanoutTarget,
  RemoteSession,
  ThreadFanout,
} from "../../../chat/gateway/threads/thread_fanout.ts";
import { DownlinkReader } from "../../../chat/gateway/threads/thread_gateway.ts";
import { NotingParticipant } from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const GATEWAYS = 2;
/** Every other one is of the extended mode, and two in a row are on one gateway. */
const SESSIONS = [0, 1, 2, 3, 4, 5, 6, 7];

const isLive = (session: number) => session % 2 === 1;
const frontOf = (session: number) => Math.floor(session / 2) % GATEWAYS;

function noting(session: number): NotingParticipant {
  return new NotingParticipant(`s${session}`, [], undefined, isLive(session));
}

function localAudience(): Fanout {
  return new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log: recordedLog().log });
}

/** A gateway without a thread: it applies each turn's messages at once. */
class Front implements FanoutTarget {
  pending: Packed = [];
  listeners = 0;
  turns = 0;
  readonly sessions = new Map<SessionNumber, Participant>();
  readonly #reader = new DownlinkReader(localAudience(), this.sessions, recordedLog().log);

  flush(): void {
    const { pending } = this;
    this.pending = [];
    this.turns++;
    this.#reader.apply(structuredClone(pending));
  }

  caughtUp(): undefined {}
}

type Step = { readonly what: string; readonly session: number };

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    "add",
    "delete",
    "broadcast",
    "broadcastPlain",
    "broadcastExtended",
    "broadcastExtendedBut",
    "send",
    "end",
    "flush",
  ),
  session: fc.constantFrom(...SESSIONS),
});

/** Plays the steps, and flushes at the end. Texts are numbered, so that all differ. */
function play(fanout: FanoutPort, participants: readonly Participant[], steps: readonly Step[]): void {
  for (const [n, { what, session }] of steps.entries()) {
    const participant = participants[session]!;
    if (what === "add") fanout.add(participant);
    else if (what === "delete") fanout.delete(participant);
    else if (what === "broadcast") fanout.broadcast(toFrame(`${n}`));
    else if (what === "broadcastPlain") {
      fanout.broadcastPlain(toFrame(`plain ${n}`));
      fanout.broadcastExtended(toFrame(`for plain ${n}`));
    } else if (what === "broadcastExtended") fanout.broadcastExtended(toFrame(`live ${n}`));
    else if (what === "broadcastExtendedBut") fanout.broadcastExtendedBut(participant, toFrame(`but ${n}`));
    else if (what === "send") fanout.send(participant, toFrame(`own ${n}`));
    else if (what === "end") fanout.end(participant, CLOSE.kicked);
    else fanout.flush();
  }
  fanout.flush();
}

Deno.test("sessions on two gateways hear what they would on one thread, in the same order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const here = SESSIONS.map(noting);
      play(localAudience(), here, steps);

      const gateways = Array.from({ length: GATEWAYS }, () => new Front());
      const there = SESSIONS.map(noting);
      const remote = SESSIONS.map((session) => {
        const gateway = gateways[frontOf(session)]!;
        gateway.sessions.set(session, there[session]!);
        const { id, remoteAddress, isExtended } = there[session]!;
        return new RemoteSession(gateway, {
          number: session,
          id,
          isExtended,
          remoteAddress,
          share: undefined,
        });
      });
      play(new ThreadFanout(new Set(gateways), recordedLog().log), remote, steps);

      assertEquals(there.map((one) => one.frames()), here.map((one) => one.frames()));
    }),
    runs(200),
  );
});

Deno.test("a gateway without listeners is sent no broadcast", () => {
  const [busy, quiet] = [new Front(), new Front()];
  const fanout = new ThreadFanout(new Set([busy, quiet]), recordedLog().log);
  const alice = noting(0);
  busy.sessions.set(1, alice);
  fanout.add(
    new RemoteSession(busy, {
      number: 1,
      id: "alice",
      isExtended: false,
      remoteAddress: "",
      share: undefined,
    }),
  );
  fanout.broadcast(toFrame("hello"));
  fanout.flush();
  assertEquals([alice.frames(), busy.turns, quiet.turns, fanout.size], [["hello"], 1, 0, 1]);
});
