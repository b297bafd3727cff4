/**
 * The output of `chatter client --plain`: frames for stdout and problems for stderr, in order, with one write under way.
 * A bound on what the readers have not taken ends it.
 *
 * @module
 */
import { reasonOf } from "./problem.ts";

/**
 * UTF-16 units of output that its readers have not taken: some 50,000 messages. A reader that is further behind ends the
 * client at the next line, since it would miss some otherwise.
 */
export const UNREAD_MAX = 4_194_304;

export interface PlainWriters {
  /** False if the reader of stdout is gone. Rejects if stdout cannot be written. */
  readonly print: (text: string) => Promise<boolean>;
  readonly complain: (text: string) => Promise<void>;
}

export interface OutputEnds {
  /** The reader has enough, as in `… | head`. */
  readonly onGone: () => void;
  /** More than `UNREAD_MAX` is unread, or stdout cannot be written: the output is given up, after one line. */
  readonly onCut: () => void;
}

export class PlainOutput {
  readonly #writers: PlainWriters;
  readonly #ends: OutputEnds;
  readonly #unread: { readonly isProblem: boolean; text: string }[] = [];
  #units = 0;
  #writing: Promise<void> | undefined;
  #isCut = false;
  readonly #givenUp = Promise.withResolvers<void>();

  constructor(writers: PlainWriters, ends: OutputEnds) {
    this.#writers = writers;
    this.#ends = ends;
  }

  print(lines: string): void {
    this.#write(false, `${lines}\n`);
  }

  complain(line: string): void {
    this.#write(true, `chatter: ${line}\n`);
  }

  /** Ends `finish` without the unread rest. */
  giveUp(): void {
    this.#givenUp.resolve();
  }

  /** Waits until all is written. False if it was given up. */
  async finish(): Promise<boolean> {
    await Promise.race([this.#writing, this.#givenUp.promise]);
    return this.#writing === undefined && !this.#isCut;
  }

  #write(isProblem: boolean, text: string): void {
    if (this.#isCut) return;
    if (this.#units > UNREAD_MAX) {
      return this.#cutOff(`stdout is read too slowly: more than ${UNREAD_MAX} characters wait`);
    }
    this.#units += text.length;
    const last = this.#unread.at(-1);
    if (last?.isProblem === isProblem) last.text += text;
    else this.#unread.push({ isProblem, text });
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) {
      const { isProblem, text } = next;
      if (isProblem) await this.#writers.complain(text);
      else await this.#print(text);
      this.#units -= text.length;
    }
    this.#writing = undefined;
  }

  async #print(text: string): Promise<void> {
    try {
      if (!await this.#writers.print(text)) this.#ends.onGone();
    } catch (error) {
      this.#cutOff(`stdout cannot be written: ${reasonOf(error)}`);
    }
  }

  /** The line overtakes what is unread. */
  #cutOff(why: string): void {
    this.#isCut = true;
    this.#unread.length = 0;
    this.#ends.onCut();
    this.#writers.complain(`chatter: ${why}\n`).then(() => this.giveUp());
  }
}
