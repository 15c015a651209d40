/** The error every part of Outrigger throws on purpose: what happened, to what, what to do, and a stable code. */

export interface ErrorDetail {
  /** Stable, upper snake case, prefixed by its part: `WATCH_EXPIRED`, `STORE_LOCKED`. Callers branch on this alone. */
  readonly code: string;
  /** What it happened to: an address, `namespace/name`, a file, a flag. */
  readonly target?: string;
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class OutriggerError extends Error {
  readonly code: string;
  readonly target: string | undefined;
  readonly hint: string | undefined;

  constructor(message: string, detail: ErrorDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'OutriggerError';
    this.code = detail.code;
    this.target = detail.target;
    this.hint = detail.hint;
  }
}

/** The stable code of anything thrown: ours, a system error's (`ECONNREFUSED`), or `UNKNOWN`. */
export function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'UNKNOWN';
}

/** One line for logs and terminals: the message, then the hint, then the root cause where it adds something. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = [error.message];
  if (error instanceof OutriggerError && error.hint !== undefined) parts.push(error.hint);
  if (error.cause instanceof Error && !error.message.includes(error.cause.message)) {
    parts.push(`cause: ${error.cause.message}`);
  }
  return parts.join('; ');
}
