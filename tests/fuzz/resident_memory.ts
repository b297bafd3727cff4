/**
 * What a process holds of the machine's memory, sampled over a run, and whether that grew.
 *
 * @module
 */

/** Resident KiB of a process, by `ps`: of the files of /proc Deno lets nobody read those of others. */
async function residentKibibytes(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)] }).output();
  return Number(new TextDecoder().decode(stdout).trim());
}

export interface MemoryGrowth {
  /** MiB in the middle of the samples after the warm-up, and of the last ones. */
  readonly warmMebibytes: number;
  readonly endMebibytes: number;
  readonly peakMebibytes: number;
}

/** Share of a run after which caches, pools and compiled code are there. */
const WARM = 0.25;
/** Share of a run whose samples make one of the two figures: a median, since a collection may just be due. */
const SPAN = 0.15;

export class ResidentMemory {
  readonly #pid: number;
  readonly #samples: number[] = [];

  constructor(pid: number) {
    this.#pid = pid;
  }

  async sample(): Promise<void> {
    const kibibytes = await residentKibibytes(this.#pid);
    if (kibibytes > 0) this.#samples.push(kibibytes / 1024);
  }

  /** Undefined where there are no samples: nobody can say then that it did not grow. */
  growth(): MemoryGrowth | undefined {
    const count = this.#samples.length;
    if (count < 2) return undefined;
    const span = Math.max(1, Math.floor(count * SPAN));
    const from = Math.min(Math.floor(count * WARM), count - 1);
    return {
      warmMebibytes: Math.round(median(this.#samples.slice(from, from + span))),
      endMebibytes: Math.round(median(this.#samples.slice(-span))),
      peakMebibytes: Math.round(Math.max(...this.#samples)),
    };
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
