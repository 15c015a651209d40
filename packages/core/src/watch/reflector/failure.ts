/** What went wrong, in the few words the reflector decides by and the metrics count by. */

import { ApiError } from '../../api/status.ts';
import { describeError, errorCode } from '../../errors/index.ts';

export type FailureReason =
  /** No connection, or none that answered in time. */
  | 'unreachable'
  | 'timeout'
  /** An established stream or answer broke off. */
  | 'broken'
  /** A stream with no sign of life. */
  | 'silent'
  /** A stream that ended at once. */
  | 'very-short'
  /** 401. */
  | 'unauthorized'
  /** 403. */
  | 'forbidden'
  /** 404: the kind is not served there. */
  | 'not-found'
  /** 410: history does not reach back. */
  | 'expired'
  /** 400, 422: the server does not understand the request. */
  | 'refused'
  /** 429. */
  | 'throttled'
  /** 5xx. */
  | 'server-error'
  /** What came is not what the protocol says. */
  | 'protocol'
  /** The client went to another control URL meanwhile. */
  | 'moved'
  /** The receiver of objects or changes threw: a mistake in the program. */
  | 'consumer';

export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** Another control URL is worth trying at once. */
  readonly failover?: boolean;
}

const byStatus: ReadonlyMap<number, FailureReason> = new Map([
  [400, 'refused'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [410, 'expired'],
  [422, 'refused'],
  [429, 'throttled'],
]);

const byCode: ReadonlyMap<string, FailureReason> = new Map([
  ['CONTROL_UNREACHABLE', 'unreachable'],
  ['CONTROL_TIMEOUT', 'timeout'],
  ['CONTROL_BROKEN', 'broken'],
  ['CONTROL_MOVED', 'moved'],
  ['CONTROL_CREDENTIALS', 'unauthorized'],
  ['WATCH_LINE_TOO_LONG', 'protocol'],
  ['WATCH_PROTOCOL', 'protocol'],
  ['WATCH_CONSUMER', 'consumer'],
  ['CONTROL_RESPONSE_TOO_LARGE', 'protocol'],
]);

export function failureOf(error: unknown, failover = false): Failure {
  if (error instanceof ApiError) return { ...failureOfStatus(error), failover };
  return { reason: byCode.get(errorCode(error)) ?? 'broken', message: describeError(error), failover };
}

/** For refusals and for the Status of an ERROR event. */
export function failureOfStatus(error: ApiError): Failure {
  const { httpStatus, retryAfterSeconds } = error;
  return {
    reason: byStatus.get(httpStatus) ?? (httpStatus >= 500 ? 'server-error' : 'protocol'),
    message: describeError(error),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1_000 }),
  };
}
