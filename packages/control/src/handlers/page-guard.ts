/**
 * Keeps web pages out of an API that lets in everyone who reaches it. A page from anywhere can make the browser of this
 * machine's user send requests to a loopback address (it names itself in Origin), or have its own name point there and
 * read the answers too (DNS rebinding: the name is in Host). Programs do neither. Pure.
 */

import { isIP } from 'node:net';
import type { ApiRequest } from './http.ts';
import { headerOf } from './http.ts';

/** Why a request is refused, or undefined. `loopback`: the address is for this machine alone. */
export function foreignPage(request: Pick<ApiRequest, 'headers'>, loopback: boolean): string | undefined {
  const host = headerOf(request, 'host') ?? '';
  const origin = headerOf(request, 'origin');
  if (origin !== undefined && origin !== `http://${host}`) {
    return `pages of ${origin} may not use this API: it lets in programs of this machine, not web pages`;
  }
  const name = hostName(host);
  if (!loopback || name === '' || isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost'))
    return undefined;
  return `this address is reached by IP or as localhost, not as ${name}: web pages could have a name of theirs point here`;
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host);
  return bracketed?.[1] ?? host.replace(/:\d*$/, '').toLowerCase();
}
