/** A span as the daemons hand it in, and where spans go. */

/** Who asked whom: `client` for what this process asked of another, `server` for what it was asked. */
export type SpanKind = 'client' | 'server' | 'internal';

export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  /** Of `Clock.now`. */
  readonly startMs: number;
  readonly endMs: number;
  /** Names of the semantic conventions. Never secrets, never what users store. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What went wrong, in a few words; undefined when nothing did. */
  readonly error?: string | undefined;
}

/** Takes spans one by one, sends them in batches. */
export interface SpanSink {
  add(span: FinishedSpan): void;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

/** What became of spans. */
export interface SpanCounts {
  sent(count: number): void;
  /** The collector did not take them. */
  failed(count: number): void;
  /** Too many were waiting. */
  dropped(count: number): void;
}
