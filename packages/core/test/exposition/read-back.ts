/** A tiny reader of pages, written from the formats' descriptions and sharing nothing with the encoder. */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: string | undefined;
}

export interface ReadPage {
  readonly types: Map<string, string>;
  readonly helps: Map<string, string>;
  readonly samples: ReadSample[];
}

/** Throws for anything the format does not allow. */
export function readBack(text: string, openMetrics: boolean): ReadPage {
  const page: ReadPage = { types: new Map(), helps: new Map(), samples: [] };
  if (!text.endsWith('\n')) throw new Error('no line feed at the end');
  const lines = text.slice(0, -1).split('\n');
  if (openMetrics && lines.pop() !== '# EOF') throw new Error('no # EOF');
  for (const line of lines) readLine(line, openMetrics, page);
  return page;
}

function readLine(line: string, openMetrics: boolean, page: ReadPage): void {
  const cursor = new Cursor(line);
  if (cursor.take('# ')) {
    const word = cursor.until(' ');
    cursor.expect(' ');
    const name = cursor.peek() === '"' ? cursor.quoted() : cursor.until(' ');
    cursor.expect(' ');
    if (word === 'TYPE') page.types.set(name, cursor.rest());
    else if (word === 'HELP') page.helps.set(name, unescape(cursor.rest()));
    else if (word !== 'UNIT' || !openMetrics) throw new Error(`comment ${line}`);
    return;
  }
  let name = cursor.while(/[a-zA-Z0-9_:]/);
  const labels: Record<string, string> = {};
  if (cursor.take('{')) {
    while (!cursor.take('}')) {
      const label = cursor.peek() === '"' ? cursor.quoted() : cursor.while(/[a-zA-Z0-9_]/);
      if (cursor.take('=')) {
        if (label in labels) throw new Error(`label ${label} twice in ${line}`);
        labels[label] = cursor.quoted();
      } else name = label;
      if (cursor.peek() !== '}') cursor.expect(',');
    }
  }
  if (name === '') throw new Error(`no name in ${line}`);
  cursor.expect(' ');
  const [value = '', ...more] = cursor.rest().split(' # ');
  if (more.length > 0 && !openMetrics) throw new Error('an exemplar in text format');
  if (!/^([+-]Inf|NaN|-?[0-9.]+(e[+-]?[0-9]+)?)$/.test(value)) throw new Error(`value ${value}`);
  const number = value.endsWith('Inf') ? Number(value.replace('Inf', 'Infinity')) : Number(value);
  page.samples.push({ name, labels, value: number, exemplar: more[0] });
}

class Cursor {
  #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  peek(): string {
    return this.#text[0] ?? '';
  }
  take(text: string): boolean {
    if (!this.#text.startsWith(text)) return false;
    this.#text = this.#text.slice(text.length);
    return true;
  }
  expect(text: string): void {
    if (!this.take(text)) throw new Error(`want ${text} before ${this.#text}`);
  }
  until(text: string): string {
    const at = this.#text.indexOf(text);
    return this.#cut(at === -1 ? this.#text.length : at);
  }
  while(pattern: RegExp): string {
    let length = 0;
    while (length < this.#text.length && pattern.test(this.#text[length] ?? '')) length += 1;
    return this.#cut(length);
  }
  quoted(): string {
    this.expect('"');
    let at = 0;
    while (this.#text[at] !== '"') at += this.#text[at] === '\\' ? 2 : 1;
    const text = unescape(this.#cut(at));
    this.expect('"');
    return text;
  }
  rest(): string {
    return this.#cut(this.#text.length);
  }
  #cut(length: number): string {
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return text;
  }
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
