/** What a RESP scanner accepts before it refuses: each limit has a name, a default and an error that carries the name. */

import { OutriggerError } from '../errors/index.ts';

export interface RespLimits {
  /** Arguments of one request. Default 1,048,576. Scanners store none of them: the limit only stops nonsense early. */
  readonly maxArguments: number;
  /** Bytes of one string. Default 512 MiB, Redis' own proto-max-bulk-len. */
  readonly maxBulkBytes: number;
  /** Bytes of an inline request, line end included. Default 64 KiB, as in Redis. */
  readonly maxInlineBytes: number;
  /** Bytes of a reply's line: simple strings, errors, numbers. Default 64 KiB. */
  readonly maxLineBytes: number;
  /** Elements of one aggregate (a map of n pairs has 2n). Default 2^31 − 1, Redis' own. */
  readonly maxElements: number;
  /** Aggregates within aggregates. Default 128; each level costs a scanner 9 bytes, whether used or not. */
  readonly maxDepth: number;
}

export const defaultRespLimits: RespLimits = Object.freeze({
  maxArguments: 1_048_576,
  maxBulkBytes: 512 * 1024 * 1024,
  maxInlineBytes: 64 * 1024,
  maxLineBytes: 64 * 1024,
  maxElements: 2 ** 31 - 1,
  maxDepth: 128,
});

export type RespErrorCode =
  /** The bytes are no RESP. */
  | 'RESP_MALFORMED'
  /** RESP, but beyond the limit named in `limit`. */
  | 'RESP_LIMIT'
  /** RESP3's streamed strings and aggregates (`$?`, `*?`): no server sends them, and they are refused. */
  | 'RESP_STREAMED';

export class RespError extends OutriggerError {
  declare readonly code: RespErrorCode;
  readonly limit: keyof RespLimits | undefined;

  constructor(code: RespErrorCode, message: string, limit?: keyof RespLimits) {
    super(message, { code, ...(limit === undefined ? {} : { hint: `the limit is ${limit}` }) });
    this.name = 'RespError';
    this.limit = limit;
  }
}

export function malformed(want: string, got: number): RespError {
  const shown = got >= 0x20 && got < 0x7f ? `'${String.fromCharCode(got)}'` : `byte ${got}`;
  return new RespError('RESP_MALFORMED', `malformed RESP: expected ${want}, got ${shown}`);
}
