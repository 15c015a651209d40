/** Spans for a sampled share of the work, sent to an OpenTelemetry collector where one is configured. */

export type { FinishedSpan, SpanKind } from './span.ts';
export type { TracingConfig, TracingDeps } from './tracer.ts';
export { parseTracingEndpoint, Tracer } from './tracer.ts';
