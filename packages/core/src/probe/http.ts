/** httpGet: any status from 200 to 399 is well. Redirects are followed on the same host; elsewhere they count as well. */

import type { IncomingMessage } from 'node:http';
import { errorCode } from '../errors/index.ts';
import { formatAddress, http } from '../net/index.ts';
import { dialFailed } from './dial.ts';
import type { CheckDeps } from './dial.ts';
import type { HttpCheck } from './spec.ts';
import type { ProbeResult } from './threshold.ts';

const timeoutText = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
const maxRedirects = 10;
/** Read at most, so that a probe of a download does not download it. */
const maxBodyBytes = 10 * 1024;

export async function httpCheck(
  check: HttpCheck,
  signal: AbortSignal,
  deps: CheckDeps,
): Promise<ProbeResult> {
  let at = urlOf(check);
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const answer = await get(at, check, signal, deps);
    if ('message' in answer) return answer;
    const next = redirection(answer, at);
    if (next === undefined) return judge(answer.status);
    if (next.hostname !== at.hostname) return { ok: true, message: 'Probe terminated redirects' };
    at = next;
  }
  return { ok: false, message: `Get "${at.href}": stopped after ${maxRedirects} redirects` };
}

interface Head {
  readonly status: number;
  readonly location: string | undefined;
}

function judge(status: number): ProbeResult {
  return status >= 200 && status < 400
    ? { ok: true, message: `HTTP ${status}` }
    : { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
}

function urlOf({ host, port, path, tls }: HttpCheck): URL {
  return new URL(`${tls ? 'https' : 'http'}://${formatAddress({ kind: 'tcp', host, port })}${path}`);
}

function redirection({ status, location }: Head, at: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  return URL.canParse(location, at.href) ? new URL(location, at) : undefined;
}

async function get(
  url: URL,
  check: HttpCheck,
  signal: AbortSignal,
  deps: CheckDeps,
): Promise<Head | ProbeResult> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:' ? await import('node:tls') : undefined;
  const port = url.port === '' ? (secure === undefined ? 80 : 443) : Number(url.port);
  const failed = (why: string): ProbeResult => ({ ok: false, message: `Get "${url.href}": ${why}` });
  return new Promise((resolve) => {
    let connected = false;
    const raw = deps.net.connect({ kind: 'tcp', host, port });
    // As kubelet: the certificate of a probed pod is not checked.
    const socket = secure?.connect({ socket: raw, rejectUnauthorized: false }) ?? raw;
    const request = http.request({
      createConnection: () => socket,
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      setDefaultHeaders: false,
      headers: headersFor(check, url),
    });
    const finish = (answer: Head | ProbeResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
      request.destroy();
      socket.destroy();
      raw.destroy();
    };
    const onAbort = (): void => finish(failed(timeoutText));
    const onError = (error: Error): void =>
      finish(failed(connected ? brokenText(error) : dialFailed({ host, port }, error)));
    signal.addEventListener('abort', onAbort, { once: true });
    raw.once('connect', () => (connected = true)).on('error', onError);
    if (socket !== raw) socket.on('error', onError);
    request.on('error', onError);
    request.on(
      'response',
      (response) => void drained(response).then(() => finish(headOf(response)), onError),
    );
    request.end();
    if (signal.aborted) onAbort();
  });
}

function headOf({ statusCode = 0, headers }: IncomingMessage): Head {
  return { status: statusCode, location: headers.location };
}

async function drained(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes) return;
  }
}

/** The probe's own headers win, Host among them. */
function headersFor(check: HttpCheck, url: URL): string[] {
  const own = new Set(check.headers.map(([name]) => name.toLowerCase()));
  const defaults = [
    ['Host', url.host],
    ['User-Agent', 'outrigger-probe'],
    ['Accept', '*/*'],
  ].filter(([name = '']) => !own.has(name.toLowerCase()));
  return [...defaults, ...check.headers, ['Connection', 'close']].flat();
}

function brokenText(error: Error): string {
  const code = errorCode(error);
  if (code === 'ECONNRESET') return 'read: connection reset by peer';
  return code.startsWith('HPE_')
    ? 'net/http: HTTP/1.x transport connection broken: malformed HTTP response'
    : error.message;
}
