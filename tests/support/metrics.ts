/**
 * The page of `/metrics`: requests it, and reads it into numbers by name and labels.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

/** Each sample by name and labels as written, for example `chatter_faults_total{fault="FLOOD"}`. */
export type Samples = ReadonlyMap<string, number>;

export function samplesOf(page: string): Samples {
  const samples = new Map<string, number>();
  for (const line of page.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", value = ""] = /^(.+) (\S+)$/.exec(line) ?? [];
    samples.set(name, Number(value.replace("+Inf", "Infinity")));
  }
  return samples;
}

/** The metrics of a server. */
export async function metricsOf(url: string): Promise<Samples> {
  const response = await fetch(`${url.replace(/\/$/, "")}/metrics`);
  const page = await response.text();
  assertEquals(response.status, 200, page);
  return samplesOf(page);
}

/** Samples that grew, and by how much, with names that begin with `name`. */
export function grown(before: Samples, after: Samples, name: string): Record<string, number> {
  return Object.fromEntries(
    [...after].filter(([sample]) => sample.startsWith(name))
      .map(([sample, value]) => [sample, value - (before.get(sample) ?? 0)] as const)
      .filter(([, by]) => by !== 0),
  );
}
