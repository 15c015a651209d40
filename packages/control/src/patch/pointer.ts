/** JSON Pointer (RFC 6901): the paths of JSON Patch. */

import { malformed } from './errors.ts';

/** `/a~1b/0` → `['a/b', '0']`; `''` is the whole document. Throws PATCH_MALFORMED. */
export function parsePointer(text: string): string[] {
  if (text === '') return [];
  if (!text.startsWith('/'))
    throw malformed(`path ${JSON.stringify(text)} must be empty or begin with "/"`, text);
  return text.slice(1).split('/').map(unescape);
}

/** The index a reference token means, undefined where it is none. `length` itself is the place behind the last item. */
export function arrayIndex(token: string, length: number): number | undefined {
  if (token === '-') return length;
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return undefined;
  const index = Number(token);
  return index <= length ? index : undefined;
}

function unescape(token: string): string {
  if (!token.includes('~')) return token;
  if (/~(?![01])/.test(token))
    throw malformed(`"~" in ${JSON.stringify(token)} must be written as "~0" or "~1"`, token);
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
