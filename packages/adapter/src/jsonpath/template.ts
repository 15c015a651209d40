/**
 * Kubernetes' JSONPath templates, the dialect of kubectl and json_exporter: text with `{…}` in which stand paths,
 * quoted text, or `range`/`end`. Parsed once into nodes; evaluate.ts runs them.
 */

export type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'union'; readonly of: readonly Step[] }
  | { readonly kind: 'exists'; readonly path: Path }
  | {
      readonly kind: 'compare';
      readonly left: Operand;
      readonly operator: Operator;
      readonly right: Operand;
    };

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface Path {
  readonly steps: readonly Step[];
  /** `$`: from the document; else from the element at hand. */
  readonly fromRoot: boolean;
}

export type Operand = { readonly path: Path } | { readonly literal: string | number | boolean | null };

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'range'; readonly path: Path; readonly body: readonly Node[] };

export class PathSyntaxError extends Error {}

/** Throws PathSyntaxError. */
export function parseTemplate(text: string): Node[] {
  return new TemplateParser(text).all();
}

const operators: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>'];
/** Ranges within ranges, filters within filters. */
const maxDepth = 32;

class TemplateParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Node[] {
    const nodes = this.#nodes(false);
    if (this.#at < this.#text.length) throw this.#error('{end} without {range}');
    return nodes;
  }

  /** Until the end, or behind the `{end}` of a range. */
  #nodes(inRange: boolean): Node[] {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length) {
      const brace = this.#text.indexOf('{', this.#at);
      const end = brace === -1 ? this.#text.length : brace;
      if (end > this.#at) nodes.push({ kind: 'text', text: this.#text.slice(this.#at, end) });
      this.#at = end;
      if (brace === -1) break;
      if (/^\{\s*end\s*\}/.test(this.#text.slice(this.#at, this.#at + 20))) {
        if (!inRange) return nodes;
        this.#at = this.#text.indexOf('}', this.#at) + 1;
        return nodes;
      }
      this.#at++;
      nodes.push(...this.#action());
    }
    if (inRange) throw this.#error('{range} without {end}');
    return nodes;
  }

  #action(): Node[] {
    this.#skipBlanks();
    if (this.#isWord('range')) {
      this.#at += 'range'.length;
      const path = this.#path();
      this.#expect('}');
      this.#enter();
      const body = this.#nodes(true);
      this.#depth--;
      return [{ kind: 'range', path, body }];
    }
    const nodes: Node[] = [];
    for (;;) {
      this.#skipBlanks();
      const char = this.#peek();
      if (char === '}') break;
      if (char === '"' || char === "'") nodes.push({ kind: 'text', text: this.#quoted() });
      else nodes.push({ kind: 'path', path: this.#path() });
    }
    this.#at++;
    return nodes;
  }

  /** Steps until something that cannot be one. Blanks between them count for nothing. */
  #path(): Path {
    this.#skipBlanks();
    const fromRoot = this.#peek() === '$';
    if (fromRoot || this.#peek() === '@') this.#at++;
    else if (this.#peek() !== '.' && this.#peek() !== '[')
      throw this.#error('want a path, beginning with . or [');
    const steps: Step[] = [];
    for (;;) {
      this.#skipBlanks();
      if (this.#take('..')) {
        steps.push({ kind: 'recursive' });
        if (this.#peek() !== '[') steps.push(...this.#member());
      } else if (this.#take('.')) steps.push(...this.#member());
      else if (this.#take('[')) steps.push(this.#bracket());
      else return { steps, fromRoot };
    }
  }

  /** What follows a dot; nothing where `.` alone stands for the whole. */
  #member(): Step[] {
    if (this.#take('*')) return [{ kind: 'wildcard' }];
    let name = '';
    for (;;) {
      const char = this.#peek();
      if (char === '\\') {
        name += this.#text[this.#at + 1] ?? '';
        this.#at += 2;
      } else if (char === '' || /[\s.[\]{}()'"|,=!<>@$&]/.test(char)) break;
      else {
        name += char;
        this.#at++;
      }
    }
    return name === '' ? [] : [{ kind: 'field', name }];
  }

  #bracket(): Step {
    this.#skipBlanks();
    if (this.#take('?')) return this.#filter();
    const of: Step[] = [];
    do {
      this.#skipBlanks();
      of.push(this.#selector());
      this.#skipBlanks();
    } while (this.#take(','));
    this.#expect(']');
    const [only] = of;
    return of.length === 1 && only !== undefined ? only : { kind: 'union', of };
  }

  #selector(): Step {
    if (this.#take('*')) return { kind: 'wildcard' };
    const char = this.#peek();
    if (char === "'" || char === '"') return { kind: 'field', name: this.#quoted() };
    const range = /^(-?\d+)?\s*(?:(:)\s*(-?\d+)?\s*(?::\s*(-?\d+)?)?)?/.exec(
      this.#text.slice(this.#at, this.#at + 80),
    );
    const [whole = '', from, colon, to, step] = range ?? [];
    if (whole === '') throw this.#error('want an index, a slice, a name in quotes, or *');
    this.#at += whole.length;
    const optional = (digits: string | undefined): number | undefined =>
      digits === undefined ? undefined : Number(digits);
    if (colon === undefined) return { kind: 'index', index: Number(from) };
    if (step !== undefined && Number(step) <= 0) throw this.#error('the step of a slice must be 1 or more');
    return { kind: 'slice', from: optional(from), to: optional(to), step: optional(step) ?? 1 };
  }

  #filter(): Step {
    this.#enter();
    this.#skipBlanks();
    this.#expect('(');
    const left = this.#operand();
    this.#skipBlanks();
    const operator = operators.find((known) => this.#take(known));
    const step = this.#compared(left, operator);
    this.#skipBlanks();
    if (this.#peek() === '&' || this.#peek() === '|') {
      throw this.#error('these filters have no && and ||; write a path that begins with $ (RFC 9535)');
    }
    this.#expect(')');
    this.#skipBlanks();
    this.#expect(']');
    this.#depth--;
    return step;
  }

  #compared(left: Operand, operator: Operator | undefined): Step {
    if (operator !== undefined) return { kind: 'compare', left, operator, right: this.#operand() };
    if (!('path' in left)) throw this.#error('want a comparison: == != < <= > >=');
    return { kind: 'exists', path: left.path };
  }

  #operand(): Operand {
    this.#skipBlanks();
    const char = this.#peek();
    if (char === '"' || char === "'") return { literal: this.#quoted() };
    if (char === '@' || char === '$' || char === '.' || char === '[') return { path: this.#path() };
    const word = /^[^\s=!<>()\]]+/.exec(this.#text.slice(this.#at, this.#at + 80))?.[0] ?? '';
    const literal = literals.has(word) ? literals.get(word) : Number(word === '' ? NaN : word);
    if (literal === undefined || Number.isNaN(literal)) {
      throw this.#error('want a path, a number, true, false, null, or a text in quotes');
    }
    this.#at += word.length;
    return { literal };
  }

  /** In single or double quotes; a backslash takes the next character as it is, `\n`, `\t` and `\r` as usual. */
  #quoted(): string {
    const quote = this.#peek();
    let text = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === quote) {
        this.#at++;
        return text;
      }
      if (char === '\\') {
        const escaped = this.#text.charAt(++this.#at);
        text += escapes.get(escaped) ?? escaped;
      } else text += char;
    }
    throw this.#error(`a text in quotes has no closing ${quote}`);
  }

  #isWord(word: string): boolean {
    return (
      this.#text.startsWith(word, this.#at) && /[\s.[@$]/.test(this.#text.charAt(this.#at + word.length))
    );
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(wanted: string): boolean {
    if (!this.#text.startsWith(wanted, this.#at)) return false;
    this.#at += wanted.length;
    return true;
  }

  #expect(wanted: string): void {
    this.#skipBlanks();
    if (!this.#take(wanted)) throw this.#error(`want ${wanted}`);
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#peek())) this.#at++;
  }

  #enter(): void {
    if (++this.#depth > maxDepth) throw this.#error(`nested more than ${maxDepth} times`);
  }

  #error(what: string): PathSyntaxError {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return new PathSyntaxError(`${what}, at ${this.#at + 1} of the template: ${JSON.stringify(rest)}`);
  }
}

const literals: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);
