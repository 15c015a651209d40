/** What a line says, by name: fields of the ready-made formats; pure and linear in the line. */

/** Undefined where the line has no such field. */
export type Fields = (name: string) => string | undefined;

export type LogFormat = 'nginx' | 'apache' | 'json';

export const noFields: Fields = () => undefined;

/** Undefined when the line is not one of the format. */
export function fieldsOf(format: LogFormat, line: string): Fields | undefined {
  if (format === 'json') return jsonFields(line);
  return combinedFields(line, format === 'nginx' ? 'request_time' : 'request_time_us');
}

/**
 * `HOST IDENT USER [TIME] "METHOD PATH PROTOCOL" STATUS BYTES "REFERER" "AGENT"`, without the last two as well (the common
 * format). A number behind them is the duration: `$request_time` for nginx, `%D` for Apache.
 */
function combinedFields(line: string, duration: string): Fields | undefined {
  const open = line.indexOf(' [');
  const close = line.indexOf('] "', open);
  if (open <= 0 || close === -1) return undefined;
  const request = quoted(line, close + 3);
  if (request === undefined) return undefined;
  const numbers = /^ (\d{3}) (\d+|-)(?= |$)/.exec(line.slice(request.end, request.end + 40));
  if (numbers === null) return undefined;
  const [{ length }, status = '', bytes = ''] = numbers;
  const [host = '', , ...user] = line.slice(0, open).split(' ');
  const fields: Record<string, string> = {
    remote_addr: host,
    remote_user: user.join(' '),
    time_local: line.slice(open + 2, close),
    request: request.text,
    status,
    // Apache writes a dash for none.
    body_bytes_sent: bytes === '-' ? '0' : bytes,
    ...requestLine(request.text),
    ...rest(line, request.end + length, duration),
  };
  return (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
}

function requestLine(request: string): Record<string, string> {
  const [method = '', target = '', protocol = ''] = request.split(' ', 3);
  // What is no request (a TLS greeting, a scan) has no method and no path.
  if (!/^[A-Z_-]{1,32}$/.test(method) || !protocol.startsWith('HTTP/')) return {};
  return { method, path: target.split('?', 1)[0] ?? '', protocol };
}

function rest(line: string, from: number, duration: string): Record<string, string> {
  const found: Record<string, string> = {};
  let at = from;
  for (const name of ['http_referer', 'http_user_agent']) {
    if (line[at] !== ' ' || line[at + 1] !== '"') break;
    const text = quoted(line, at + 2);
    if (text === undefined) break;
    found[name] = text.text;
    at = text.end;
  }
  const [number = ''] = line.slice(at).trimStart().split(' ', 1);
  if (/^\d+(\.\d+)?$/.test(number)) found[duration] = number;
  return found;
}

/** From behind the opening quote; a quote after a backslash does not close. */
function quoted(line: string, from: number): { readonly text: string; readonly end: number } | undefined {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at += 1;
    else if (line[at] === '"') return { text: line.slice(from, at), end: at + 1 };
  }
  return undefined;
}

/** A field of a field is `a.b`; a field that is called so itself wins. */
function jsonFields(line: string): Fields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A line of something else between those of the format, which the caller counts.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const top = value;
  return (name) => text(Object.hasOwn(top, name) ? top[name] : nested(top, name.split('.')));
}

function nested(from: Record<string, unknown>, path: readonly string[]): unknown {
  let value: unknown = from;
  for (const part of path) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
