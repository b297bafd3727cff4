/**
 * A disk of a few MiB for tests that fill it or make it refuse writes: a tmpfs, if this user may mount one.
 *
 * @module
 */

/** Bytes written at once to fill it: a page of the file system. */
const PAGE = 4096;

export class SmallDisk implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async mount(mebibytes: number): Promise<SmallDisk> {
    const folder = await Deno.makeTempDir({ prefix: "chatter_disk_" });
    try {
      await run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "chatter-test", folder);
    } catch (error) {
      await Deno.remove(folder);
      throw error;
    }
    return new SmallDisk(folder);
  }

  /** Leaves no page free. */
  async fill(): Promise<void> {
    using file = await Deno.open(`${this.folder}/filler`, { create: true, append: true });
    const zeros = new Uint8Array(PAGE);
    try {
      while (true) await file.write(zeros);
    } catch (error) {
      if (!(error instanceof Error && /no space/i.test(error.message))) throw error;
    }
  }

  async makeRoom(): Promise<void> {
    await Deno.remove(`${this.folder}/filler`);
  }

  async makeReadOnly(): Promise<void> {
    await run("mount", "-o", "remount,ro", this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: a program just killed may not have closed its files yet.
    await run("umount", "--lazy", this.folder);
    await Deno.remove(this.folder);
  }
}

/** Whether this user may mount a tmpfs. If not, prints that tests are left out. */
export async function maySmallDisk(): Promise<boolean> {
  try {
    await using _disk = await SmallDisk.mount(1);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const line =
      `Tests of a full disk and of a read-only one are left out: no tmpfs can be mounted: ${reason}\n`;
    await Deno.stderr.write(new TextEncoder().encode(line));
    return false;
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  if (Deno.build.os !== "linux") throw new Error("it needs Linux");
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
