/**
 * OpenTelemetry spans if the runtime was started with `OTEL_DENO=true`; Deno then collects and exports them.
 * Otherwise nothing is loaded and `traced` only runs its work. The test is the runtime's global registration, because
 * the program may not read that variable.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import { VERSION } from "../version.ts";

/** A finished part of a course. Times are in milliseconds since 1970, with fractions. */
export interface Stage {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A finished operation, recorded as one trace. */
export interface Course extends Stage {
  readonly attributes: Attributes;
  readonly isFailed: boolean;
  readonly stages: readonly Stage[];
}

export interface Tracing {
  /** Records a finished operation as a trace of its own. */
  record(course: Course): void;
  /** Runs `work` in a span below the caller's. Rejects as `work` does. */
  within<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
}

/** The global key of the OpenTelemetry API. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** Undefined if nothing collects traces. */
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

/** Runs `work` in a span if there is tracing. */
export function traced<T>(
  tracing: Tracing | undefined,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  return tracing === undefined ? work() : tracing.within(name, attributes, work);
}
