/** JSON bytes in the format the client asked for. */

import type { Format } from './accept.ts';
import type { Answer, Headers } from './http.ts';
import { jsonBytes } from './respond.ts';

export async function encoded(
  status: number,
  body: Buffer,
  format: Format,
  headers: Headers = {},
): Promise<Answer> {
  if (format === 'json') return jsonBytes(status, body, headers);
  const { stringify } = await import('yaml');
  const text = stringify(JSON.parse(body.toString()), { lineWidth: 0 });
  return { status, headers: { 'content-type': 'application/yaml', ...headers }, body: text };
}
