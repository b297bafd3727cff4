/**
 * A power cut of all three machines: the NATS servers store on an ext4 of a loop device, whose shutdown drops all that
 * was not synced. Needs root, loop devices and perl, and is skipped with one line otherwise.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { saySkipped } from "../support/skipped_line.ts";
import { historyAt, newRoom, startNode } from "./cluster_stage.ts";
import { NATS_SERVER, NatsServers, testWithNats } from "./nats_servers.ts";

const IMAGE_BYTES = 256 * 2 ** 20;
/** EXT4_IOC_SHUTDOWN with NOLOGFLUSH: as without power, nothing reaches the disk from here on. */
const SHUTDOWN = 'my $flags = pack("L", 2); open(my $fs, "<", $ARGV[0]) or die $!; ' +
  "ioctl($fs, 0x8004587D, $flags) or die $!";

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null" }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
}

/** A disk that loses power. */
class Disk implements AsyncDisposable {
  readonly folder: string;
  readonly #place: string;
  readonly #image: string;

  private constructor(place: string) {
    this.#place = place;
    this.folder = `${place}/disk`;
    this.#image = `${place}/image`;
  }

  static async make(): Promise<Disk> {
    const place = await Deno.makeTempDir({ prefix: "chatter_power_" });
    const disk = new Disk(place);
    try {
      await Deno.mkdir(disk.folder);
      await Deno.writeFile(disk.#image, new Uint8Array());
      await Deno.truncate(disk.#image, IMAGE_BYTES);
      await run("mkfs.ext4", "-q", disk.#image);
      await disk.#mount();
      return disk;
    } catch (error) {
      await Deno.remove(place, { recursive: true });
      throw error;
    }
  }

  async #mount(): Promise<void> {
    await run("mount", "-o", "loop", this.#image, this.folder);
  }

  /** `whileOff` ends what has files open. */
  async cutPower(whileOff: () => Promise<void>): Promise<void> {
    await run("perl", "-e", SHUTDOWN, this.folder);
    await whileOff();
    await run("umount", this.folder);
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", this.folder);
    await Deno.remove(this.#place, { recursive: true });
  }
}

const canCut = NATS_SERVER !== undefined && await canCutPower();

async function canCutPower(): Promise<boolean> {
  try {
    await using disk = await Disk.make();
    await disk.cutPower(() => Promise.resolve());
    return true;
  } catch {
    saySkipped("the test of a power cut, which needs root, loop devices and perl");
    return false;
  }
}

/** Messages that were acknowledged before a power cut of all servers, and are not there after it. */
async function lostAtPowerCut(syncInterval: string): Promise<{ said: number; lost: number }> {
  await using disk = await Disk.make();
  await using servers = await NatsServers.start(3, {
    text: ({ n, port, routes }) =>
      `server_name: s${n}\nlisten: "127.0.0.1:${port}"
       jetstream { store_dir: "${disk.folder}/${n}", max_file_store: 20GB, sync_interval: ${syncInterval} }
       cluster { name: test, listen: "127.0.0.1:${routes[n]}"
         routes: [${routes.map((route) => `"nats-route://127.0.0.1:${route}"`).join(", ")}] }`,
  });
  const room = newRoom();
  const texts = Array.from({ length: 100 }, (_, n) => `text ${n}`);
  {
    await using node = await startNode(servers, room, { limits: { floodRate: 0, floodRatePerAddress: 0 } });
    await using ann = await ChatClient.connect(node.url, "ann");
    for (const text of texts) await ann.say(text);
    await disk.cutPower(async () => {
      for (const n of servers.urls.keys()) await servers.kill(n);
    });
  }
  for (const n of servers.urls.keys()) await servers.run(n);
  // It has no store: what it has is what the log has.
  await using node = await startNode(servers, room);
  const kept = new Set(await historyAt(node.url));
  return { said: texts.length, lost: texts.filter((text) => !kept.has(text)).length };
}

testWithNats(
  "a power cut of all NATS servers loses nothing that was acknowledged with sync_interval: always, and loses it without",
  async () => {
    const [always, rarely] = await Promise.all(["always", "2m"].map(lostAtPowerCut));
    assertEquals(always, { said: 100, lost: 0 });
    // So the cut is one; `chatter cluster check` calls such servers bad: check_test.ts.
    assertGreater(rarely!.lost, 0);
  },
  canCut,
);
