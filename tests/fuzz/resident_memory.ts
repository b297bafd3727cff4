/**
 * The resident memory of a process, sampled over a run, and whether it grew.
 *
 * @module
 */

/** Resident KiB of a process, by `ps`: Deno may not read other processes' files in /proc. */
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

/** Share of a run after which caches, pools and compiled code are filled. */
const WARM = 0.25;
/** Share of a run whose samples make one figure: a median, since a collection may be due. */
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

  /** Undefined without samples: growth cannot be ruled out then. */
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
