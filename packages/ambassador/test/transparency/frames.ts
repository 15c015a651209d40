/**
 * Replies as bytes, found by a parser of their own: what these tests compare must not be cut by the code under test.
 * One character stands for one byte (latin1).
 */

/** Where the frame that begins at `at` ends, or -1 while it is not whole. A push or an attribute is a frame as any other. */
export function frameEnd(text: string, at: number): number {
  const lineEnd = text.indexOf('\r\n', at);
  if (lineEnd < 0) return -1;
  const after = lineEnd + 2;
  const type = text[at] as string;
  const count = Number(text.slice(at + 1, lineEnd));
  if ('$!='.includes(type)) return count < 0 ? after : wholeUpTo(text, after + count + 2);
  const children = childCount(type, count);
  let end = after;
  for (let i = 0; i < children && end >= 0; i++) end = frameEnd(text, end);
  return end;
}

/** The frames directly inside an aggregate; undefined when `frame` is none. */
export function childrenOf(frame: string): string[] | undefined {
  const lineEnd = frame.indexOf('\r\n');
  const count = childCount(frame[0] ?? '', Number(frame.slice(1, lineEnd)));
  if (!'*~>%|'.includes(frame[0] ?? '?')) return undefined;
  const children: string[] = [];
  for (let at = lineEnd + 2; children.length < count;) {
    const end = frameEnd(frame, at);
    children.push(frame.slice(at, end));
    at = end;
  }
  return children;
}

/** What an integer or a string says; of anything else its bytes. */
export function content(frame: string): string {
  const lineEnd = frame.indexOf('\r\n');
  return '$='.includes(frame[0] ?? '?') ? frame.slice(lineEnd + 2, -2) : frame.slice(1, lineEnd);
}

function wholeUpTo(text: string, end: number): number {
  return end <= text.length ? end : -1;
}

function childCount(type: string, count: number): number {
  if ('*~>'.includes(type)) return Math.max(count, 0);
  if (type === '%') return 2 * count;
  // An attribute belongs to the frame behind it.
  return type === '|' ? 2 * count + 1 : 0;
}
