/** One line of a page, read character by character: names, labels, numbers, exemplars. Knows nothing of families. */

import type { Exemplar, LabelPairs, SampleSuffix } from '@outrigger/core/exposition';

/** What is wrong with a line; the page adds its number. */
export class LineError extends Error {}

/** A sample that does not know its family yet, and so neither its suffix. */
export interface Draft {
  suffix: SampleSuffix;
  readonly labels: LabelPairs;
  readonly value: number;
  exemplar?: Exemplar;
}

export interface MetaLine {
  readonly keyword: 'HELP' | 'TYPE' | 'UNIT';
  readonly name: string;
  readonly text: string;
}

const tab = 9;
const space = 32;
const quote = 34;
const hash = 35;
const comma = 44;
const equals = 61;
const backslash = 92;
const openBrace = 123;
const closeBrace = 125;

/** Of one sample: each is compared with all before it. */
const maxLabels = 256;

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Reads lines of one text, one after the other, where it is told they begin and end. */
export class LineReader {
  readonly #text: string;
  readonly #openMetrics: boolean;
  #at = 0;
  #end = 0;
  /** Lines resemble those before them: their names are looked for first, and shared. */
  #name = '';
  #labelsBefore: LabelPairs = [];

  constructor(text: string, openMetrics: boolean) {
    this.#text = text;
    this.#openMetrics = openMetrics;
  }

  /** The name in the line that `sample` has read last. */
  get name(): string {
    return this.#name;
  }

  /** A line that is neither blank nor a comment. Throws LineError. */
  sample(from: number, to: number): Draft {
    this.#begin(from, to);
    const before = this.#labelsBefore;
    const labels: [string, string][] = [];
    let name = this.#code() === openBrace ? undefined : this.#sampleName();
    this.#skipBlanks();
    if (this.#code() === openBrace) name = this.#labels(labels, name, before);
    if (name === undefined) throw new LineError('a sample has no name');
    this.#name = name;
    this.#labelsBefore = labels;
    this.#skipBlanks();
    const value = this.#number();
    this.#skipBlanks();
    this.#timestamp();
    const exemplar = this.#exemplar();
    return exemplar === undefined ? { suffix: '', labels, value } : { suffix: '', labels, value, exemplar };
  }

  /** `# HELP name text`, `# TYPE name type`, `# UNIT name unit`; undefined for any other comment. Throws LineError. */
  meta(from: number, to: number): MetaLine | undefined {
    this.#begin(from + 1, to);
    const keyword = this.#word();
    if (keyword !== 'HELP' && keyword !== 'TYPE' && !(keyword === 'UNIT' && this.#openMetrics))
      return undefined;
    this.#skipBlanks();
    const name = this.#code() === quote ? this.#quoted() : this.#bareName(true);
    // One blank alone: a help text may begin with more.
    if (this.#at < this.#end && this.#isBlank(this.#code())) this.#at++;
    const rest = this.#text.slice(this.#at, this.#end);
    const text = keyword === 'HELP' ? this.#helpText(rest) : rest.trim();
    return { keyword, name, text };
  }

  #begin(from: number, to: number): void {
    this.#at = from;
    this.#end = to;
    this.#skipBlanks();
  }

  #code(): number {
    return this.#at < this.#end ? this.#text.charCodeAt(this.#at) : -1;
  }

  #isBlank(code: number): boolean {
    return code === space || code === tab;
  }

  #skipBlanks(): void {
    while (this.#isBlank(this.#code())) this.#at++;
  }

  #word(): string {
    const from = this.#at;
    while (this.#at < this.#end && !this.#isBlank(this.#code())) this.#at++;
    return this.#text.slice(from, this.#at);
  }

  #bareName(colons: boolean): string {
    const from = this.#at;
    while (isNameCode(this.#code(), this.#at === from, colons)) this.#at++;
    if (this.#at === from) throw new LineError(`want a name, got ${this.#shown()}`);
    return this.#text.slice(from, this.#at);
  }

  #sampleName(): string {
    const end = this.#at + this.#name.length;
    if (this.#name !== '' && end < this.#end && this.#text.startsWith(this.#name, this.#at)) {
      if (!isNameCode(this.#text.charCodeAt(end), false, true)) {
        this.#at = end;
        return this.#name;
      }
    }
    return this.#bareName(true);
  }

  /** From `{` to `}`; a quoted text without `=` is the name of the sample. */
  #labels(labels: [string, string][], given: string | undefined, before: LabelPairs): string | undefined {
    let name = given;
    this.#at++;
    for (;;) {
      this.#skipBlanks();
      if (this.#code() === closeBrace) break;
      const isQuoted = this.#code() === quote;
      const label = isQuoted ? this.#quoted() : this.#labelName(before[labels.length]?.[0]);
      this.#skipBlanks();
      if (this.#code() === equals) {
        this.#at++;
        this.#skipBlanks();
        const value = this.#quoted();
        // To Prometheus an empty label is none.
        if (value !== '') addLabel(labels, label, value);
      } else if (isQuoted && name === undefined) name = label;
      else throw new LineError(`want = after the label ${JSON.stringify(label)}, got ${this.#shown()}`);
      this.#skipBlanks();
      if (this.#code() === comma) this.#at++;
      else if (this.#code() !== closeBrace)
        throw new LineError(`want , or } after a label, got ${this.#shown()}`);
    }
    this.#at++;
    return name;
  }

  #labelName(expected: string | undefined): string {
    if (expected !== undefined && this.#text.startsWith(expected, this.#at)) {
      const end = this.#at + expected.length;
      if (this.#text.charCodeAt(end) === equals && isNameCode(expected.charCodeAt(0), true, false)) {
        this.#at = end;
        return expected;
      }
    }
    return this.#bareName(false);
  }

  #quoted(): string {
    if (this.#code() !== quote) throw new LineError(`want a text in quotes, got ${this.#shown()}`);
    const from = ++this.#at;
    let escaped = false;
    for (let at = from; at < this.#end; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === backslash) {
        escaped = true;
        at++;
      } else if (code === quote) {
        this.#at = at + 1;
        const raw = this.#text.slice(from, at);
        return escaped ? unescape(raw) : raw;
      }
    }
    throw new LineError('a text in quotes does not end in its line');
  }

  #number(): number {
    const word = this.#word();
    const value = numberOf(word);
    if (value === undefined) throw new LineError(`want a number, got ${JSON.stringify(word)}`);
    return value;
  }

  /** Checked and forgotten: the adapter shows no timestamps. */
  #timestamp(): void {
    const code = this.#code();
    if (code === -1 || code === hash) return;
    const word = this.#word();
    if (!(this.#openMetrics ? decimal : /^-?\d+$/).test(word)) {
      throw new LineError(`want a timestamp or the end of the line, got ${JSON.stringify(word)}`);
    }
    this.#skipBlanks();
  }

  #exemplar(): Exemplar | undefined {
    if (this.#code() === -1) return undefined;
    if (!this.#openMetrics || this.#code() !== hash)
      throw new LineError(`want the end of the line, got ${this.#shown()}`);
    this.#at++;
    this.#skipBlanks();
    if (this.#code() !== openBrace) throw new LineError(`want { of an exemplar, got ${this.#shown()}`);
    const labels: [string, string][] = [];
    if (this.#labels(labels, undefined, []) !== undefined) throw new LineError('an exemplar has no name');
    this.#skipBlanks();
    const value = this.#number();
    this.#skipBlanks();
    if (this.#code() === -1) return { labels, value };
    const timestamp = this.#number();
    this.#skipBlanks();
    if (this.#code() !== -1) throw new LineError(`want the end of the line, got ${this.#shown()}`);
    return { labels, value, timestamp };
  }

  #helpText(raw: string): string {
    return raw.includes('\\') ? unescape(raw, this.#openMetrics) : raw;
  }

  #shown(): string {
    return this.#at < this.#end
      ? JSON.stringify(this.#text.slice(this.#at, Math.min(this.#end, this.#at + 20)))
      : 'the end of the line';
  }
}

/** Numbers as Go reads them, without its hexadecimal ones; undefined for what is none. */
export function numberOf(word: string): number | undefined {
  if (decimal.test(word)) return Number(word);
  switch (word.toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      return NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Infinity;
    case '-inf':
    case '-infinity':
      return -Infinity;
    default:
      return undefined;
  }
}

function addLabel(labels: [string, string][], name: string, value: string): void {
  for (const [known] of labels) {
    if (known === name) throw new LineError(`the label ${JSON.stringify(name)} is there twice`);
  }
  if (labels.length >= maxLabels) throw new LineError(`a sample has more than ${maxLabels} labels`);
  labels.push([name, value]);
}

function isNameCode(code: number, first: boolean, colons: boolean): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    (colons && code === 58) ||
    (!first && code >= 48 && code <= 57)
  );
}

/** `\\`, `\n`, and `\"` where the format has it; any other backslash stays. */
function unescape(text: string, quotes = true): string {
  return text.replace(/\\([\\n"])/g, (whole, escaped: string) => {
    if (escaped === 'n') return '\n';
    return escaped === '"' && !quotes ? whole : escaped;
  });
}
