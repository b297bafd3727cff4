/**
 * The graphs of the rows that are shown: fetched for many servers at once, and kept until the next sample,
 * docs/listing_api.md §9.14. It does not draw them.
 *
 * @module
 */
/// <reference lib="dom" />
import { graphLabel, graphPath, type People } from "./people_graph.ts";

/** Milliseconds from a scroll to the request, so that rows that only pass by are not asked for. */
const PAUSE_MS = 200;
/** Servers in one request; the listing answers no more. */
const IDS_MAX = 100;
/** Graphs that are kept; beyond that the page forgets all and asks again. */
const KEPT_MAX = 2000;
/** Milliseconds for which a graph is right, and after which a failed request is made again. */
const FRESH_MS = 300_000;
const RETRY_MS = 30_000;

export interface Graph {
  readonly path: string;
  readonly label: string;
}

interface Kept {
  readonly graph: Graph | undefined;
  readonly staleMs: number;
}

export class PeopleGraphs {
  readonly #onGraph: (id: number, graph: Graph) => void;
  readonly #kept = new Map<number, Kept>();
  #wanted: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onGraph: (id: number, graph: Graph) => void) {
    this.#onGraph = onGraph;
  }

  /** Those that the listing wrote into the page. */
  have(graphs: Iterable<readonly [id: number, graph: Graph]>): void {
    for (const [id, graph] of graphs) this.#keep(id, graph, FRESH_MS);
  }

  of(id: number): Graph | undefined {
    return this.#kept.get(id)?.graph;
  }

  /** Fetches the graphs of these servers that are missing or out of date. */
  want(ids: readonly number[]): void {
    this.#wanted = ids;
    if (this.#timer !== undefined || this.#missing().length === 0) return;
    this.#timer = setTimeout(async () => {
      await this.#fetch(this.#missing());
      this.#timer = undefined;
      // Others may be wanted since the request.
      this.want(this.#wanted);
    }, PAUSE_MS);
  }

  #missing(): number[] {
    const nowMs = performance.now();
    return this.#wanted.filter((id) => (this.#kept.get(id)?.staleMs ?? 0) <= nowMs).slice(0, IDS_MAX);
  }

  async #fetch(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    if (this.#kept.size > KEPT_MAX) this.#kept.clear();
    // Also those of which the answer has none.
    for (const id of ids) this.#keep(id, this.of(id), RETRY_MS);
    const answer = await fetchPeople(ids);
    for (const people of answer) {
      const graph = { path: graphPath(people, Date.now()), label: graphLabel(people) };
      this.#keep(people.id, graph, FRESH_MS);
      this.#onGraph(people.id, graph);
    }
  }

  #keep(id: number, graph: Graph | undefined, forMs: number): void {
    this.#kept.set(id, { graph, staleMs: performance.now() + forMs });
  }
}

async function fetchPeople(ids: readonly number[]): Promise<readonly People[]> {
  try {
    const response = await fetch(`people?ids=${ids.join()}`);
    if (!response.ok) return [];
    const { people }: { people: People[] } = await response.json();
    return people;
  } catch {
    return [];
  }
}
