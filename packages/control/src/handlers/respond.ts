/** Answers: the headers all of them carry, and the one place where an error becomes a Status. */

import { ApiError } from '@outrigger/core/api';
import type { Status } from '@outrigger/core/api';
import { describeError, errorCode } from '@outrigger/core/errors';
import type { Answer, Headers } from './http.ts';

const jsonType = 'application/json';

export function json(status: number, value: unknown, headers: Headers = {}): Answer {
  return { status, headers: { 'content-type': jsonType, ...headers }, body: JSON.stringify(value) };
}

/** Bytes that are JSON already. */
export function jsonBytes(status: number, body: Buffer, headers: Headers = {}): Answer {
  return { status, headers: { 'content-type': jsonType, ...headers }, body };
}

export function text(status: number, body: string, headers: Headers = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

export function statusAnswer(status: Status, headers: Headers = {}): Answer {
  const { retryAfterSeconds } = status.details ?? {};
  const retry: Headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return json(status.code ?? 200, status, { ...retry, ...headers });
}

/** What a client is told of anything thrown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  switch (errorCode(error)) {
    case 'STORE_READ_ONLY':
      return ApiError.serviceUnavailable(describeError(error), 5);
    case 'STORE_CLOSED':
    case 'CACHE_FAILED':
      return ApiError.serviceUnavailable(describeError(error), 1);
    case 'STORE_BUSY':
      return ApiError.tooManyRequests(describeError(error), 1);
    case 'STORE_COMPACTED':
      return ApiError.expired(describeError(error));
    default:
      return ApiError.internal(error);
  }
}

/** Values of the Warning header (RFC 9110): quotes and backslashes escaped, nothing that could end the header. */
export function warningValues(warnings: readonly string[]): string[] {
  return warnings.map((warning) => {
    const safe = warning.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
    return `299 - "${safe}"`;
  });
}
