/**
 * Counts the work of a page by the browser's own trace: forced layouts, elements of style and layers. A busy machine
 * changes times, and not these.
 *
 * @module
 */
import type { Page } from "puppeteer-core";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly elementCount?: number; readonly beginData?: { readonly dirtyObjects?: number } };
}

/** Boxes that a layout places again for one row, at most. */
const BOXES_OF_A_ROW = 24;

/** The work of the page while `act` runs: at most so much at once. */
export async function mostWork(page: Page, act: () => Promise<void>) {
  await page.tracing.start({
    categories: ["-*", "devtools.timeline", "disabled-by-default-devtools.timeline"],
  });
  await act();
  const trace = await page.tracing.stop();
  const { traceEvents } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: TraceEvent[] };
  const frame = traceEvents.find(({ name }) => name === "FireAnimationFrame");
  const events = traceEvents.filter(({ ph, pid, tid }) =>
    ph === "X" && pid === frame?.pid && tid === frame.tid
  );
  const inside = (name: string, { ts, dur = 0 }: TraceEvent) =>
    events.filter((event) => event.name === name && event.ts >= ts && event.ts < ts + dur);
  const styled = events.flatMap(({ name, args }) =>
    name === "UpdateLayoutTree" ? args?.elementCount ?? [] : []
  );
  // Another browser may name its events otherwise: then every count would be 0, and no limit held.
  if (styled.length === 0) throw new Error("The trace has no style of the page's elements");
  const callbacks = ["FireAnimationFrame", "EventDispatch", "TimerFire"];
  const scripts = events.filter(({ name }) => callbacks.includes(name));
  const forced = scripts.map((script) => inside("Layout", script));
  const isOfRows = ({ args }: TraceEvent) => (args?.beginData?.dirtyObjects ?? Infinity) > BOXES_OF_A_ROW;
  const most = (counts: readonly number[]) => counts.reduce((a, b) => Math.max(a, b), 0);
  return {
    frames: scripts.length,
    /** Layouts that one callback of the page forces. */
    layouts: most(forced.map(({ length }) => length)),
    /** Those of more than a row. */
    rowLayouts: most(forced.map((layouts) => layouts.filter(isOfRows).length)),
    /** Elements whose style is found at once. */
    elements: most(styled),
    /** Layers of the picture that are prepared at once. */
    layers: most(
      events.filter(({ name }) => name === "RunTask").map((task) => inside("UpdateLayer", task).length),
    ),
  };
}
