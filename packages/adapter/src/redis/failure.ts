/** Why a server could not be asked, as one of the classes of failure. */

import { describeError, errorCode } from '@outrigger/core/errors';
import type { MetricFamily } from '@outrigger/core/exposition';
import { SourceError } from '../sources/source.ts';
import type { FailureClass } from '../sources/source.ts';

const byCode: Readonly<Record<string, FailureClass>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ETIMEDOUT: 'timeout',
  ADAPTER_ANSWER_TOO_LARGE: 'too-large',
};
const unreachable: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOENT', 'EACCES', 'ENOTSOCK'],
]);
const hints: Readonly<Partial<Record<FailureClass, string>>> = {
  refused: 'is it running, and listening there?',
  auth: 'check username and passwordFrom; the user needs INFO',
  tls: 'check caFile and the name in the certificate',
  dns: 'check the host name',
};

export function redisFailure(address: string, error: unknown, shown: readonly MetricFamily[]): SourceError {
  const failure = classOf(error);
  const hint = hints[failure];
  const message = `${address} did not answer: ${describeError(error)}${hint === undefined ? '' : `; ${hint}`}`;
  return new SourceError(failure, message, { cause: withoutCommand(error), families: shown });
}

/** ioredis keeps with an error reply what was sent: of AUTH, the password. */
function withoutCommand(error: unknown): unknown {
  return error instanceof Error && 'command' in error ? new Error(error.message) : error;
}

function classOf(error: unknown): FailureClass {
  if (error instanceof SourceError) return error.class;
  const code = errorCode(error);
  const known = byCode[code];
  if (known !== undefined) return known;
  if (unreachable.has(code)) return 'unreachable';
  if (code === 'EPROTO' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.includes('CERT'))
    return 'tls';
  const text = error instanceof Error ? error.message : '';
  if (/^(NOAUTH|WRONGPASS|NOPERM)\b|invalid password|no password is set/i.test(text)) return 'auth';
  // What ioredis says when the connection ended under a command.
  if (/Connection is closed|Stream isn't writeable|Socket closed/i.test(text)) return 'unreachable';
  // What its decoder says of bytes that are none of the protocol.
  if (/^(Unknown RESP type|Protocol error)/.test(text)) return 'parse';
  return 'internal';
}
