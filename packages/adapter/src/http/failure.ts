/** What went wrong on the way to an answer: the class of it, and what to do. */

import { errorCode } from '@outrigger/core/errors';
import { errors } from 'undici';
import type { FailureClass } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';

/** Without what may be secret: user, password, query. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Any error of a request, as a SourceError. `limitMs`: how long it might take. */
export function requestFailure(error: unknown, url: URL, signal: AbortSignal, limitMs: number): SourceError {
  if (error instanceof SourceError) return error;
  const where = shownUrl(url);
  if (signal.aborted) {
    const text = `${where} did not answer within ${Math.round(limitMs)} ms; allow more time, or ask for less`;
    return new SourceError('timeout', text, { cause: error });
  }
  const code = errorCode(error);
  const [failure, what] = describe(code, error);
  // With TLS 1.3 a server says only after the handshake that it wants a certificate, or says nothing and hangs up.
  const more =
    failure === 'unreachable' && url.protocol === 'https:' ? ', which may want a client certificate' : '';
  return new SourceError(failure, `${where}: ${what}${more}`, { cause: error });
}

const byCode: Readonly<Record<string, readonly [FailureClass, string]>> = {
  ECONNREFUSED: ['refused', 'nothing listens there; is the application running, and the port right?'],
  ENOTFOUND: ['dns', 'there is no such host; check the name'],
  EAI_AGAIN: ['dns', 'the name could not be looked up; check the resolver'],
  EHOSTUNREACH: ['unreachable', 'no route to the host; check address and network'],
  ENETUNREACH: ['unreachable', 'no route to the network; check address and network'],
  ETIMEDOUT: ['timeout', 'the connection was not answered; check address and firewall'],
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'the connection was not answered; check address and firewall'],
  ECONNRESET: ['unreachable', 'the connection was reset before the answer was complete; see its log'],
  EPIPE: ['unreachable', 'the connection was closed while asking; see its log'],
  UND_ERR_SOCKET: ['unreachable', 'the connection was closed before the answer was complete; see its log'],
  UND_ERR_HEADERS_OVERFLOW: ['too-large', 'the headers of the answer are too long; is it an HTTP server?'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['unreachable', 'the answer was cut short; see its log'],
  EPROTO: ['tls', 'it does not speak TLS as we do; http instead of https?'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'tls',
    'its certificate is for another name; use that name, or say it in serverName',
  ],
  CERT_HAS_EXPIRED: ['tls', 'its certificate has expired; renew it'],
};

function describe(code: string, error: unknown): readonly [FailureClass, string] {
  const known = byCode[code];
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  if (/^(?:CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) {
    return ['tls', `TLS failed: ${code}; name its authority in caFile, and check certFile and keyFile`];
  }
  if (error instanceof errors.HTTPParserError) {
    return ['parse', `the answer is not HTTP: ${message}; is it the right port?`];
  }
  if (code.startsWith('Z_')) return ['parse', `its gzip is broken: ${code}; have it send plain text`];
  return ['internal', `the request failed: ${code}: ${message}`];
}
