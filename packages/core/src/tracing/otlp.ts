/**
 * Spans to an OpenTelemetry collector by OTLP over HTTP (JSON). The one file that knows the SDK; it is imported when an
 * endpoint is configured, and nothing of it is registered for the whole process.
 */

import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Random } from '../clock/index.ts';
import { errorCode } from '../errors/index.ts';
import { version } from '../lifecycle/index.ts';
import type { TracingDeps } from './tracer.ts';
import type { FinishedSpan, SpanCounts, SpanSink } from './span.ts';

export interface OtlpOptions {
  readonly url: string;
  readonly service: string;
  readonly resource: Readonly<Record<string, string>>;
  /** For one batch, attempts included. Default 5,000. */
  readonly exportTimeoutMs?: number;
}

/** Spans that wait for the collector. Raised: fewer are dropped while it is slow, more memory (about 1 KiB each). */
const maxQueuedSpans = 4_096;
const maxBatchSpans = 512;
/** How long spans are gathered before they are sent. */
const batchDelayMs = 1_000;
const defaultExportTimeoutMs = 5_000;
const kinds = { client: SpanKind.CLIENT, server: SpanKind.SERVER, internal: SpanKind.INTERNAL };

export class OtlpSink implements SpanSink {
  readonly #deps: TracingDeps;
  readonly #counts: SpanCounts;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  #waiting = 0;
  #failing = false;

  constructor(options: OtlpOptions, counts: SpanCounts, deps: TracingDeps) {
    const { url, service, resource, exportTimeoutMs = defaultExportTimeoutMs } = options;
    this.#deps = deps;
    this.#counts = counts;
    const processor = new BatchSpanProcessor({
      exporter: this.#counted(new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }), url),
      maxQueueSize: maxQueuedSpans,
      maxExportBatchSize: maxBatchSpans,
      scheduledDelayMillis: batchDelayMs,
      exportTimeoutMillis: exportTimeoutMs,
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'service.version': version, ...resource }),
      idGenerator: ids(deps.random),
      spanProcessors: [processor],
    });
    this.#tracer = this.#provider.getTracer('outrigger', version);
  }

  add({ name, kind, startMs, endMs, attributes, error }: FinishedSpan): void {
    if (this.#waiting >= maxQueuedSpans) {
      this.#counts.dropped(1);
      return;
    }
    this.#waiting++;
    const toWall = this.#deps.clock.wall() - this.#deps.clock.now();
    const options = { kind: kinds[kind], startTime: startMs + toWall, attributes };
    const span = this.#tracer.startSpan(name, options, ROOT_CONTEXT);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endMs + toWall);
  }

  async close(): Promise<void> {
    // What it rejects with has been counted and logged batch by batch.
    await this.#provider.shutdown().catch(() => {});
  }

  #counted(exporter: OTLPTraceExporter, url: string): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.#waiting -= spans.length;
          this.#told(url, spans.length, result.error);
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }

  /** Logs when it begins to fail and when it works again, not each time. */
  #told(endpoint: string, count: number, error: Error | undefined): void {
    if (error === undefined) this.#counts.sent(count);
    else this.#counts.failed(count);
    if (this.#failing === (error !== undefined)) return;
    this.#failing = error !== undefined;
    if (error === undefined) this.#deps.log.info('spans are taken again', { endpoint });
    else this.#deps.log.warn('spans are not taken', { endpoint, code: errorCode(error), error });
  }
}

function ids(random: Random): { generateTraceId(): string; generateSpanId(): string } {
  const word = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return {
    generateTraceId: () => word() + word() + word() + word(),
    generateSpanId: () => word() + word(),
  };
}
