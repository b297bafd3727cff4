/**
 * Keeps the visits of this browser to one server in its storage, one entry a tab, and asks which tabs are open. What a
 * visit holds is visit.ts's matter.
 *
 * @module
 */
/// <reference lib="dom" />
import { bounded, continueVisit, isWorthKeeping, parseVisit, takenOver, type Visit } from "./visit.ts";

/** Milliseconds for the other tabs to answer. */
const ASK_MS = 250;
const QUESTION = "who is open?";

export class VisitStorage {
  /** The visit to continue; undefined if there is none. */
  readonly visit: Visit | undefined;
  /** The visit of another open tab whose user is in the room. */
  readonly elsewhere: Visit | undefined;
  readonly tab: string;
  readonly #prefix: string;
  /** The page reloads with what is kept now. */
  #isSealed = false;

  private constructor(prefix: string, tab: string, visits: readonly Visit[], live: ReadonlySet<string>) {
    this.#prefix = prefix;
    this.tab = tab;
    this.visit = continueVisit(visits, { tab, live, nowMs: Date.now() });
    this.elsewhere = visits.find((visit) => visit.isInside && live.has(visit.tab));
    // Their texts are in `visit` now.
    if (this.visit === undefined || !this.write(this.visit)) return;
    for (const { tab } of visits) if (tab !== this.tab && !live.has(tab)) this.#remove(tab);
  }

  /** Opens the storage for the server of this page. Asks the other tabs if another visit is kept. */
  static async open(): Promise<VisitStorage> {
    const prefix = `chatter ${new URL("./", location.href).pathname} `;
    const before = read(() => sessionStorage, `${prefix}tab`);
    const visits = keptVisits(prefix);
    const tabs = visits.map(({ tab }) => tab);
    const channel = new Channel(prefix, before ?? newTab());
    // A reloaded tab is the only one with its number; a duplicated tab has that of the first.
    const isReloaded = before !== null && tabs.includes(before) && wasReloaded();
    const live = isReloaded ? new Set(tabs.filter((tab) => tab !== before)) : await channel.ask(tabs);
    if (live.has(channel.tab)) channel.tab = newTab();
    write(() => sessionStorage, `${prefix}tab`, channel.tab);
    return new VisitStorage(prefix, channel.tab, visits, live);
  }

  /** Keeps a visit, or removes it if it holds nothing. False if the storage does not take it. */
  write(visit: Visit): boolean {
    if (this.#isSealed) return true;
    if (isWorthKeeping(visit)) {
      return write(() => localStorage, this.#prefix + this.tab, JSON.stringify(bounded(visit)));
    }
    this.#remove(this.tab);
    // Who left, and comes back another day, continues to read here.
    return write(() => localStorage, `${this.#prefix}seen`, visit.seen);
  }

  /** The id of the newest message that was seen; "" for none. */
  get seen(): string {
    return this.visit?.seen || (read(() => localStorage, `${this.#prefix}seen`) ?? "");
  }

  /** Takes over the session of the other tab: the server closes the connection there. */
  takeOver(): void {
    if (this.elsewhere === undefined) return;
    // What that tab saved last, since its session may have moved on.
    const kept = this.#kept(this.elsewhere.tab) ?? this.elsewhere;
    this.write(takenOver(kept, this.#kept(this.tab), this.tab, Date.now()));
    this.#isSealed = true;
    location.reload();
  }

  #kept(tab: string): Visit | undefined {
    return parseVisit(read(() => localStorage, this.#prefix + tab));
  }

  #remove(tab: string): void {
    try {
      localStorage.removeItem(this.#prefix + tab);
    } catch {
      // Without storage nothing is kept.
    }
  }
}

/** Answers other tabs that this one is open, and asks them. */
class Channel {
  tab: string;
  readonly #channel: BroadcastChannel | undefined;

  constructor(name: string, tab: string) {
    this.tab = tab;
    this.#channel = openChannel(name);
    this.#channel?.addEventListener("message", ({ data }) => {
      if (data === QUESTION) this.#channel?.postMessage({ tab: this.tab });
    });
  }

  /** Returns those of the tabs that are open: at once if all answer. */
  async ask(tabs: readonly string[]): Promise<ReadonlySet<string>> {
    const open = new Set<string>();
    if (tabs.length === 0) return open;
    return await new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#channel?.removeEventListener("message", take);
        resolve(open);
      };
      const take = ({ data }: MessageEvent) => {
        if (typeof data?.tab === "string") open.add(data.tab);
        if (tabs.every((tab) => open.has(tab))) end();
      };
      const timer = setTimeout(end, ASK_MS);
      this.#channel?.addEventListener("message", take);
      this.#channel?.postMessage(QUESTION);
    });
  }
}

function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name);
  } catch {
    // The browser has none, or not for this page: the tabs do not know each other.
    return undefined;
  }
}

function wasReloaded(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
}

function newTab(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(36)).join("");
}

function keptVisits(prefix: string): Visit[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).flatMap((key) =>
      parseVisit(localStorage.getItem(key)) ?? []
    );
  } catch {
    // Without storage each visit is the first.
    return [];
  }
}

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, text: string): boolean {
  try {
    storage().setItem(key, text);
    return true;
  } catch {
    // No storage, or it is full.
    return false;
  }
}
