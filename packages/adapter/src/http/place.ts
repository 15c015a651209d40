/** The URL to ask at one place. */

import { OutriggerError } from '@outrigger/core/errors';
import type { Place } from '../sources/source.ts';

/** The endpoint of a Service stands in it already. Throws CONFIG_INVALID. */
export function urlAt({ address }: Place): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(address, 'is no http(s) URL', 'write it as http://HOST:PORT/PATH');
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
