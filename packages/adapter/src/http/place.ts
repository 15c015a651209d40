/** The URL to ask at one place: the configured one, with the endpoint's address where a Service was named. */

import { OutriggerError } from '@outrigger/core/errors';
import type { Place } from '../sources/source.ts';

const service = /^(https?:\/\/)svc:[^/]+\/[^/?#:]+(?::[^/?#]+)?([/?#].*)?$/i;

/** `configured`: as in the document, perhaps `http://svc:NS/NAME:PORT/path`. Throws CONFIG_INVALID. */
export function urlAt(configured: string, place: Place): URL {
  const named = service.exec(configured);
  const text = named === null ? configured : `${named[1]}${place.address}${named[2] ?? '/'}`;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(configured, 'is no http(s) URL', 'write it as http://HOST:PORT/PATH');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(`${url.protocol}//${url.host}`, 'has a password in it', 'use username and passwordFrom');
  }
  return url;
}

function invalid(url: string, what: string, hint: string): OutriggerError {
  return new OutriggerError(`the URL ${url} of a source ${what}`, {
    code: 'CONFIG_INVALID',
    target: url,
    hint,
  });
}
