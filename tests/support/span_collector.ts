/**
 * A collector of OpenTelemetry for tests: receives what the runtime exports by OTLP over HTTP as JSON, and keeps the
 * spans.
 *
 * @module
 */

export interface CollectedSpan {
  readonly service: string;
  /** The tracer: `chatter`, or the runtime itself. */
  readonly scope: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty if it is the first of its trace. */
  readonly parentId: string;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isFailed: boolean;
}

export class SpanCollector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** All requests, as text. */
  text = "";
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const text = await request.text();
      this.text += text;
      if (new URL(request.url).pathname === "/v1/traces") this.#keep(JSON.parse(text));
      return Response.json({});
    });
  }

  /** Variables that make a program export its traces here as `service`. */
  variables(service: string): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: service,
    };
  }

  /** The spans of that name made by the program itself. */
  own(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.scope === "chatter" && span.name === name);
  }

  childrenOf({ spanId }: CollectedSpan): CollectedSpan[] {
    return this.spans.filter(({ parentId }) => parentId === spanId)
      .toSorted((a, b) => Number(a.start - b.start));
  }

  /** From the first of the trace to a span: the names with their services. */
  pathTo(span: CollectedSpan): string[] {
    const parent = this.spans.find(({ spanId }) => spanId === span.parentId);
    return [...(parent === undefined ? [] : this.pathTo(parent)), `${span.service} ${span.name}`];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any -- as the protocol has it
  #keep({ resourceSpans }: any): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(attributesOf(resource.attributes)["service.name"]);
      for (const { scope, spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            service,
            scope: scope.name,
            name: span.name,
            traceId: span.traceId,
            spanId: span.spanId,
            parentId: span.parentSpanId ?? "",
            start: BigInt(span.startTimeUnixNano),
            end: BigInt(span.endTimeUnixNano),
            attributes: attributesOf(span.attributes),
            isFailed: span.status?.code === 2,
          });
        }
      }
    }
  }
}

function attributesOf(
  list: readonly { key: string; value: Record<string, unknown> }[] = [],
): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
