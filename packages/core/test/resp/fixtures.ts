/** What the scanner tests share: feeding bytes in pieces, and the frames an uncut feed finds. */

import { ReplyEvent, ReplyScanner, RequestEvent, RequestScanner } from '@outrigger/core/resp';
import type { RespLimits } from '@outrigger/core/resp';

/** One frame as a scanner saw it; `end` counts from the start of the stream. */
export interface Frame {
  readonly what: string;
  readonly end: number;
}

/** Every way to cut `bytes` in two, the bytes one at a time, and the bytes whole. */
export function* cuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

export function scanRequests(chunks: readonly Uint8Array[], limits: Partial<RespLimits> = {}): Frame[] {
  const scanner = new RequestScanner(limits);
  const frames: Frame[] = [];
  let base = 0;
  let name = '';
  for (const chunk of chunks) {
    let at = 0;
    for (;;) {
      const event = scanner.next(chunk, at);
      at = scanner.offset;
      if (event === RequestEvent.more) break;
      if (event === RequestEvent.head) {
        name = Buffer.from(scanner.name.subarray(0, Math.max(scanner.nameLength, 0))).toString('latin1');
        if (scanner.nameLength < 0) name = '(long)';
        continue;
      }
      frames.push({ what: `${name}/${scanner.argc}${scanner.inline ? ' inline' : ''}`, end: base + at });
      name = '';
    }
    base += chunk.length;
  }
  if (!scanner.between) frames.push({ what: 'unfinished', end: base });
  return frames;
}

export function scanReplies(chunks: readonly Uint8Array[], limits: Partial<RespLimits> = {}): Frame[] {
  const scanner = new ReplyScanner(limits);
  const frames: Frame[] = [];
  let base = 0;
  for (const chunk of chunks) {
    let at = 0;
    for (let event = scanner.next(chunk, at); event !== ReplyEvent.more; event = scanner.next(chunk, at)) {
      at = scanner.offset;
      frames.push({ what: event === ReplyEvent.push ? 'push' : 'reply', end: base + at });
    }
    base += chunk.length;
  }
  if (!scanner.between) frames.push({ what: 'unfinished', end: base });
  return frames;
}

/** What a run ended in: its frames, or the code and limit of what it threw. */
export function outcome(run: () => Frame[]): unknown {
  try {
    return run();
  } catch (error) {
    const { code, limit } = error as { code?: string; limit?: string };
    return { code, limit };
  }
}
