/**
 * Spans of OpenTelemetry, where the runtime was started with `OTEL_DENO=true`: it then collects and exports them, and
 * nothing here knows to whom.
 *
 * Where it was not, there is no tracing, nothing is loaded, and what would be traced runs as it is. Whether it was is
 * asked of the place in which the runtime registers itself, since the variable is none that this program may read.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import { VERSION } from "../version.ts";

/** A part of what is traced, after it has happened. Times in milliseconds since 1970, with their fraction. */
export interface Stage {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Something that was traced as a whole, after it has happened. */
export interface Course extends Stage {
  readonly attributes: Attributes;
  readonly isFailed: boolean;
  readonly stages: readonly Stage[];
}

export interface Tracing {
  /** Tells of something that is over, as a trace of its own. */
  record(course: Course): void;
  /** Runs `work` in a span, which is within that of whoever calls. Rejects as `work` does. */
  within<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
}

/** Where the API of OpenTelemetry finds who collects, whatever version of it the runtime brings. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** Undefined where nobody collects. */
export async function startTracing(): Promise<Tracing | undefined> {
  const registered = (globalThis as { [REGISTERED]?: { trace?: unknown } })[REGISTERED];
  if (registered?.trace === undefined) return undefined;
  const { context, SpanStatusCode, trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer("chatter", VERSION);
  return {
    record({ name, startMs, endMs, attributes, isFailed, stages }) {
      const whole = tracer.startSpan(name, { root: true, startTime: startMs, attributes });
      const inside = trace.setSpan(context.active(), whole);
      for (const stage of stages) {
        tracer.startSpan(stage.name, { startTime: stage.startMs }, inside).end(stage.endMs);
      }
      if (isFailed) whole.setStatus({ code: SpanStatusCode.ERROR });
      whole.end(endMs);
    },
    async within(name, attributes, work) {
      const span = tracer.startSpan(name, { attributes });
      try {
        return await context.with(trace.setSpan(context.active(), span), work);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },
  };
}

/** Runs `work` in a span where there is tracing, and else as it is. */
export function traced<T>(
  tracing: Tracing | undefined,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  return tracing === undefined ? work() : tracing.within(name, attributes, work);
}
