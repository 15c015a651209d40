/**
 * Tracing as the daemons see it: ask `sampled()` when work begins, hand in one finished span when it has ended.
 *
 * Not a span object that travels with the work: a proxy sees thousands of commands for each one that is traced, so the
 * cost that counts is that of the decision, and that is a countdown (gap.ts).
 *
 * OpenTelemetry's SDK is loaded only once an endpoint is configured (70 ms and 26 MB). A collector that is slow or gone
 * costs spans, which are counted, and never holds up anything.
 */

import { OutriggerError } from '../errors/index.ts';
import type { Deps } from '../lifecycle/index.ts';
import type { Metrics } from '../metrics/index.ts';
import { Gap } from './gap.ts';
import type { FinishedSpan, SpanCounts, SpanSink } from './span.ts';

export interface TracingConfig {
  /** http(s) URL of an OTLP/HTTP receiver; `/v1/traces` is added to a URL without a path. Undefined: no spans. */
  readonly endpoint: string | undefined;
  /** Share of the work that gets a span, 0 to 1. */
  readonly sample: number;
  /** `service.name` of all spans. */
  readonly service: string;
  /** Further attributes of the process, such as `service.instance.id`. */
  readonly resource?: Readonly<Record<string, string>>;
}

export type TracingDeps = Pick<Deps, 'clock' | 'random' | 'log' | 'metrics'>;

/** How long `close` waits for what has not been sent. */
const closeTimeoutMs = 2_000;

export class Tracer {
  readonly #deps: TracingDeps;
  readonly #counts: SpanCounts;
  #gap: Gap;
  #sink: SpanSink | undefined;
  #config = '';

  constructor(deps: TracingDeps) {
    this.#deps = deps;
    this.#counts = spanCounts(deps.metrics);
    this.#gap = new Gap(0, deps.random);
  }

  /** At start and after each change of configuration. Rejects, and changes nothing, when the endpoint is none. */
  async configure(config: TracingConfig): Promise<void> {
    const text = JSON.stringify(config);
    if (text === this.#config) return;
    const sink = await this.#open(config);
    void this.#sink?.close();
    this.#sink = sink;
    this.#config = text;
    this.#gap = new Gap(sink === undefined ? 0 : config.sample, this.#deps.random);
  }

  /** Hot: whether this piece of work gets a span. Each call is one decision. */
  sampled(): boolean {
    return this.#gap.over();
  }

  span(span: FinishedSpan): void {
    this.#sink?.add(span);
  }

  /** Sends what is left, for a bounded time. */
  async close(): Promise<void> {
    this.#gap = new Gap(0, this.#deps.random);
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) await Promise.race([sink.close(), this.#deps.clock.sleep(closeTimeoutMs)]);
  }

  async #open({ endpoint, sample, service, resource }: TracingConfig): Promise<SpanSink | undefined> {
    if (endpoint === undefined) return undefined;
    const url = parseTracingEndpoint(endpoint);
    if (sample <= 0) return undefined;
    const { OtlpSink } = await import('./otlp.ts');
    return new OtlpSink({ url: url.href, service, resource: resource ?? {} }, this.#counts, this.#deps);
  }
}

/** Throws an OutriggerError. A path is kept as it is written. */
export function parseTracingEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidEndpoint(text, 'want an http or https URL, such as http://127.0.0.1:4318');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidEndpoint(`${url.protocol}//…@${url.host}`, 'no user and password in the URL');
  }
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url;
}

function invalidEndpoint(target: string, hint: string): OutriggerError {
  return new OutriggerError(`${target} is not an endpoint for traces`, {
    code: 'TRACING_ENDPOINT_INVALID',
    target,
    hint,
  });
}

function spanCounts(metrics: Metrics): SpanCounts {
  const family = metrics.counter({
    name: 'outrigger_tracing_spans_total',
    help: 'Spans by what became of them: sent to the collector, failed (it did not take them), dropped (too many waited).',
    labels: ['result'],
  });
  for (const result of ['sent', 'failed', 'dropped']) family.at(result);
  return {
    sent: (count) => family.add(count, 'sent'),
    failed: (count) => family.add(count, 'failed'),
    dropped: (count) => family.add(count, 'dropped'),
  };
}
