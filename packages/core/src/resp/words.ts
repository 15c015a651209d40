/** Requests as arguments: a whole frame taken apart, and a typed line split into words the way Redis does. */

import { malformed } from './limits.ts';
import { RequestEvent, RequestScanner } from './request.ts';
import type { RespLimits } from './limits.ts';

/** The arguments of exactly one whole request. Throws RespError when the bytes are anything else. */
export function decodeRequest(frame: Uint8Array, limits: Partial<RespLimits> = {}): Buffer[] {
  const scanner = new RequestScanner(limits);
  let event = scanner.next(frame, 0);
  if (event === RequestEvent.head) event = scanner.next(frame, scanner.offset);
  if (event !== RequestEvent.end || scanner.offset !== frame.length) {
    throw malformed('one whole request', frame[0] ?? 0);
  }
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return scanner.inline ? splitWords(bytes) : splitArray(bytes, scanner.argc);
}

/**
 * Splits a line into arguments: blanks separate; "…" knows \n \r \t \b \a \xHH and \ before anything else; '…' knows \'.
 * A quote must be closed and followed by a blank or the end, else RespError (Redis: "unbalanced quotes in request").
 */
export function splitWords(text: string | Uint8Array): Buffer[] {
  const words: Buffer[] = [];
  // One character per byte, so that \xHH and multi-byte characters both come out as they went in.
  let rest = Buffer.from(text as string)
    .toString('latin1')
    .replace(leadingBlanks, '');
  while (rest !== '') {
    let word = '';
    while (rest !== '' && !leadingBlanks.test(rest)) {
      const quote = rest[0] as string;
      const [content, length] = quote === '"' || quote === "'" ? quoted(rest, quote) : [quote, 1];
      word += content;
      rest = rest.slice(length);
    }
    words.push(Buffer.from(word, 'latin1'));
    rest = rest.replace(leadingBlanks, '');
  }
  return words;
}

function splitArray(bytes: Buffer, count: number): Buffer[] {
  const args: Buffer[] = [];
  let at = bytes.indexOf(0x0a) + 1;
  while (args.length < count) {
    const start = bytes.indexOf(0x0a, at) + 1;
    const end = start + Number(bytes.toString('latin1', at + 1, start - 2));
    args.push(bytes.subarray(start, end));
    at = end + 2;
  }
  return args;
}

/** What C's isspace knows; JavaScript's \s has more, such as byte 0xA0. */
const leadingBlanks = /^[ \t\n\v\f\r]+/;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** What a quoted part at the start of `text` means, and how many characters it takes. */
function quoted(text: string, quote: string): [content: string, length: number] {
  let content = '';
  for (let i = 1; i < text.length; i++) {
    const char = text[i] as string;
    const next = text[i + 1];
    if (char === quote) {
      if (next !== undefined && !leadingBlanks.test(next)) break;
      return [content, i + 1];
    }
    if (char !== '\\' || next === undefined || (quote === "'" && next !== "'")) {
      content += char;
      continue;
    }
    const hex = /^x([0-9a-f]{2})/i.exec(text.slice(i + 1, i + 4))?.[1];
    const isHex = hex !== undefined && quote === '"';
    content += isHex
      ? String.fromCharCode(Number.parseInt(hex, 16))
      : quote === '"'
        ? (escapes[next] ?? next)
        : next;
    i += isHex ? 3 : 1;
  }
  throw malformed('a closing quote before a blank', text.charCodeAt(0));
}
