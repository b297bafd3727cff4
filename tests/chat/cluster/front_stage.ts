/**
 * The sessions of one node without a network, for tests: the node leads, and the test stores its records.
 *
 * @module
 */
import { Fanout } from "../../../chat/delivery/fanout.ts";
import { PresenceNotices } from "../../../chat/delivery/presence_notices.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { ClusterFront } from "../../../chat/cluster/node/front.ts";
import { HistoryReads } from "../../../chat/cluster/node/history_reads.ts";
import { MessageSpans } from "../../../chat/cluster/node/message_spans.ts";
import type { LeaderRoom } from "../../../chat/cluster/leader.ts";
import { Member, type MemberEffect } from "../../../chat/cluster/member.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import type { TypingNotice } from "../../../chat/cluster/wire.ts";
import { DecisionSender } from "../../../chat/order/teller.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { Room } from "../../../chat/room/room.ts";
import { Bans } from "../../../chat/room/bans.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { Course, Tracing } from "../../../src/metrics/tracing.ts";
import { input, NotingParticipant, token, WaitingJournal } from "../../support/order_stage.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { makeState, roomOf, SETTINGS } from "./model_cluster.ts";

/** A node that leads; records are stored when the test says so. */
export class FrontStage {
  readonly chronicle: string[] = [];
  readonly journal = new WaitingJournal();
  readonly sockets: NotingParticipant[] = [];
  readonly notices: TypingNotice[] = [];
  readonly courses: Course[] = [];
  readonly front: ClusterFront;
  readonly replica: Replica;
  nowMs = 5000;
  #member!: Member;
  #append: (MemberEffect & { do: "append" }) | undefined;
  #soon: (() => void)[] = [];
  #tokens = 0;

  readonly #room: LeaderRoom;
  readonly #log: Logger;

  constructor(
    newest: readonly StoredMessage[] = [],
    {
      room = roomOf(),
      log = recordedLog().log,
      tracing = {
        record: (course) => void this.courses.push(course),
        within: (_name, _attributes, work) => work(),
      },
    }: { room?: LeaderRoom; log?: Logger; tracing?: Tracing } = {},
  ) {
    this.#room = room;
    this.#log = log;
    const meters = new ChatMeters();
    const fanout = new Fanout({ meters, steadyMs: () => this.nowMs, log });
    const presence = new PresenceNotices({
      fanout,
      awayNames: () => this.replica.membership.roster.awayNames,
      isOfThisRun: (position) => this.replica.state.isOfThisRun(position),
      outboxBytesMax: () => SETTINGS.limits.maxOutboxBytes,
      steadyMs: () => this.nowMs,
      msPerListener: 0,
    });
    const reads = new HistoryReads(this.journal, log);
    const sender = new DecisionSender({
      ...{ fanout, presence, meters, log, onRosterChange: () => {} },
      onChange: (message) => reads.changed(message),
    });
    this.front = new ClusterFront({
      ...{ sender, fanout, reads, log },
      spans: new MessageSpans(tracing, () => this.nowMs),
      sockets: () => this.sockets,
      mintToken: () => token(++this.#tokens),
      hashOf: (token) => `hash of ${token}`,
      moment: () => ({ nowMs: this.nowMs, steadyMs: this.nowMs, historyFromMs: () => 0 }),
      soon: (send) => this.#soon.push(send),
    });
    this.replica = new Replica({ state: makeState({ newest }), listener: this.front });
    const parts = {
      ...{ state: this.replica.state, bans: new Bans([]), mintId: () => "" },
      ...{ isOfKicked: () => false, sessionOfToken: () => undefined },
    };
    this.front.attach(this.replica, new Room(room(parts), this.replica.membership.roster));
    this.begin("a");
  }

  /** Begins under a name, and leads. */
  begin(incarnation: string): void {
    this.#member = new Member({
      ...{ incarnation, replica: this.replica, room: this.#room, random32: () => 0, random: () => 0.5 },
      limits: { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 },
      ...{
        historyFromMs: () => 0,
        wallMs: () => this.nowMs,
        onBug: (error, input) => this.#log.error("bug", { where: "decide", input, error }),
      },
    }, this.nowMs);
    this.front.begin({
      incarnation,
      submit: (inputs) => this.#do(this.#member.submit(this.nowMs, inputs)),
      notify: (notice) => this.notices.push(notice),
    });
    this.#do(this.#member.start());
    this.#do(this.#member.readDone(this.nowMs, []));
    this.nowMs += 3000;
    this.#do(this.#member.tick(this.nowMs));
    this.#do(this.#member.readDone(this.nowMs, []));
    this.store();
  }

  socket(name: string, isLive = false, address?: string): NotingParticipant {
    const participant = new NotingParticipant(`session of ${name}`, this.chronicle, address, isLive);
    this.sockets.push(participant);
    return participant;
  }

  /** A session in the room, which has read everything. */
  joined(name: string, isLive = false): NotingParticipant {
    const participant = this.socket(name, isLive);
    this.send(participant, `c2/CONNECT ${name}`);
    this.storeAll();
    for (const each of this.sockets) each.frames();
    participant.settledCount();
    return participant;
  }

  send(participant: NotingParticipant, ...frames: string[]): void {
    for (const frame of frames) this.front.submit(participant, input(frame, participant.isExtended));
    for (const send of this.#soon.splice(0)) send();
  }

  /** The log stores the record that is under way. */
  store(): void {
    for (const send of this.#soon.splice(0)) send();
    const append = this.#append;
    this.#append = undefined;
    if (append !== undefined) this.#do(this.#member.appended(this.nowMs, append.id, { kind: "stored" }));
  }

  storeAll(): void {
    do this.store(); while (this.#append !== undefined);
  }

  #do(effects: readonly MemberEffect[]): void {
    for (const effect of effects) if (effect.do === "append") this.#append = effect;
  }
}
