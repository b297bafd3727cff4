/**
 * One life of a node under one name: its member of the cluster with what drives it, and the answers to other nodes. A
 * node that the others have lost goes on as another incarnation, with the same replica and front.
 *
 * @module
 */
import type { NowMs } from "../../../src/clock.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import type { Journal } from "../../store/journal.ts";
import type { ClusterSettings } from "../cluster_settings.ts";
import { ClusterDriver, type DriverOptions } from "../driver.ts";
import type { LeaderRoom } from "../leader.ts";
import { Member } from "../member.ts";
import type { Replica } from "../replica.ts";
import { CopyServer } from "./copy.ts";
import type { ClusterFront } from "./front.ts";
import type { WriteBehind } from "./write_behind.ts";

export interface IncarnationParts
  extends Pick<DriverOptions, "log" | "wire" | "about" | "heard" | "stored" | "refused"> {
  readonly replica: Replica;
  readonly room: LeaderRoom;
  readonly front: ClusterFront;
  readonly writer: WriteBehind;
  /** Has all that is applied. */
  readonly reads: Pick<Journal, "find" | "after">;
  readonly cluster: Pick<ClusterSettings, "takeoverMs" | "lostMs">;
  /** Read at each use. */
  readonly limits: Limits;
  readonly historyFromMs: (nowMs: number) => number;
  /** Whether it may give a copy of its store. */
  readonly isReady: () => boolean;
  readonly over: DriverOptions["over"];
  readonly nowMs: NowMs;
  readonly steadyMs: NowMs;
  readonly random32: () => number;
  readonly logger: Logger;
}

export class Incarnation {
  readonly name = crypto.randomUUID();
  readonly member: Member;
  readonly driver: ClusterDriver;
  readonly #quit: (() => void)[];

  /** It runs from here on. */
  constructor(parts: IncarnationParts) {
    const { replica, front, writer, log, wire, steadyMs } = parts;
    this.member = this.#makeMember(parts);
    const driver = this.driver = new ClusterDriver({
      ...parts,
      ...{ incarnation: this.name, member: this.member },
      log: {
        append: (at, id, bytes) => log.append(at, id, bytes),
        read: (from, max) => writer.hasRoom().then(() => log.read(from, max)),
        follow: (on) => log.follow(on),
        ends: () => log.ends(),
      },
      steadyMs,
      find: (uuid) => parts.reads.find(uuid),
    });
    front.begin({
      incarnation: this.name,
      submit: (inputs) => driver.submit(inputs),
      notify: (notice) => wire.notify(notice),
    });
    this.#quit = [wire.listenNotices((notice) => front.typedElsewhere(notice)), ...this.#answerCopies(parts)];
    writer.start(replica);
    driver.start();
  }

  stop(): void {
    this.driver.stop();
    for (const quit of this.#quit.splice(0)) quit();
  }

  #makeMember(
    { replica, room, random32, cluster, limits, historyFromMs, nowMs, steadyMs, logger }: IncarnationParts,
  ): Member {
    return new Member({
      ...{ incarnation: this.name, replica, room, random32, historyFromMs, wallMs: nowMs },
      onBug: (error, input) => logger.error("bug", { where: "decide", input, error }),
      limits: {
        ...{ takeoverMs: cluster.takeoverMs, lostMs: cluster.lostMs },
        get resumeWindowMs() {
          return limits.resumeWindow * 1000;
        },
      },
      random: Math.random,
    }, steadyMs());
  }

  #answerCopies({ replica, reads, wire, limits, isReady }: IncarnationParts): (() => void)[] {
    const copies = new CopyServer({
      incarnation: () => this.name,
      // Without a history of its own it would give the others an empty one.
      isReady: () => isReady() && limits.historyCount > 0,
      checkpoint: () => replica.checkpoint(),
      bans: () => replica.bans.inForce(-Infinity),
      messages: reads,
      limits,
    });
    const answer = (request: unknown) => copies.answer(request);
    return [wire.answerCopies("copy", answer), wire.answerCopies(`copy.${this.name}`, answer)];
  }
}
