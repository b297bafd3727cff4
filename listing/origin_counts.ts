/**
 * What each origin has listed or under way, PROTOCOL.md §9.10: counted per address block and, for IPv6, per site,
 * because a /48 contains 65,536 blocks, of which a few would take what there is for all. It refuses nothing by itself.
 *
 * @module
 */
import { addressBlock, addressSite } from "../src/address.ts";

export class OriginCounts {
  /** Only places that have anything. */
  readonly #counts = new Map<string, number>();

  /** What the block and the site of `origin` have; 0 for the site of an IPv4 address. */
  of(origin: string): { readonly block: number; readonly site: number } {
    const site = addressSite(origin);
    return { block: this.at(addressBlock(origin)), site: site === undefined ? 0 : this.at(site) };
  }

  /** Counts `amount` until the returned function is called, once. */
  hold(origin: string, amount = 1): () => void {
    this.add(origin, amount);
    return () => this.add(origin, -amount);
  }

  add(origin: string, change: number): void {
    for (const place of [addressBlock(origin), addressSite(origin)]) {
      if (place === undefined) continue;
      const count = this.at(place) + change;
      if (count > 0) this.#counts.set(place, count);
      else this.#counts.delete(place);
    }
  }

  /** What `place` has, a result of `addressBlock` or `addressSite`. */
  at(place: string): number {
    return this.#counts.get(place) ?? 0;
  }
}
