/** The last touches to an answer: indented for people, compressed where that pays. */

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Answer, ApiRequest } from './http.ts';
import { headerOf } from './http.ts';
import { isTrue } from './route.ts';

/** Smaller answers are sent as they are: compressing costs more than it saves on a near network. */
export const gzipThresholdBytes = 128 * 1024;

const compress = promisify(gzip);

export async function finished(request: ApiRequest, answer: Answer): Promise<Answer> {
  const shown = wantsPretty(request) ? pretty(answer) : answer;
  const { body } = shown;
  if (body === undefined || body.length < gzipThresholdBytes || !takesGzip(request)) return shown;
  const compressed = await compress(body, { level: constants.Z_BEST_SPEED });
  const headers = { ...shown.headers, 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' };
  return { ...shown, headers, body: compressed };
}

/** Tools that people type at, unless the query says otherwise. */
export function wantsPretty(request: ApiRequest): boolean {
  const asked = request.query.get('pretty');
  if (asked !== null) return isTrue(asked);
  return /^(curl|Wget|Mozilla\/)/.test(headerOf(request, 'user-agent') ?? '');
}

function pretty(answer: Answer): Answer {
  const type = answer.headers?.['content-type'];
  if (answer.body === undefined || typeof type !== 'string' || !type.startsWith('application/json'))
    return answer;
  return { ...answer, body: `${JSON.stringify(JSON.parse(answer.body.toString()), null, 2)}\n` };
}

function takesGzip(request: ApiRequest): boolean {
  const accepted = headerOf(request, 'accept-encoding') ?? '';
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted);
}
