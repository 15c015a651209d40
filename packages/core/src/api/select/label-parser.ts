/** The grammar of string label selectors. Error texts are Kubernetes', as tools show them to people. */

import { ApiError } from '../status.ts';
import type { Operator, Requirement } from './labels.ts';

type TokenKind = 'word' | '!' | '=' | '==' | '!=' | '<' | '>' | '(' | ')' | ',' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const end: Token = { kind: 'end', text: '' };
const operators: ReadonlyMap<string, Operator> = new Map([
  ['=', 'in'],
  ['==', 'in'],
  ['!=', 'notin'],
  ['in', 'in'],
  ['notin', 'notin'],
  ['>', 'gt'],
  ['<', 'lt'],
]);

/** One parse of one text. */
export class LabelParser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'word' && token.kind !== '!') {
        throw refused(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.kind === 'end') return requirements;
      if (after.kind !== ',') throw refused(`found '${after.text}', expected: ',' or 'end of string'`);
      const follows = this.#peek();
      if (follows.kind !== 'word' && follows.kind !== '!') {
        throw refused(`found '${follows.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().kind === '!';
    if (negated) this.#take();
    const key = this.#take();
    if (key.kind !== 'word') throw requirementRefused(`found '${key.text}', expected: identifier`);
    if (negated) return { key: key.text, operator: 'absent', values: [] };
    const after = this.#peek();
    if (after.kind === 'end' || after.kind === ',') return { key: key.text, operator: 'exists', values: [] };
    const token = this.#take();
    const operator = operators.get(token.text);
    if (operator === undefined) {
      throw requirementRefused(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = token.kind === 'word' ? this.#set() : [this.#value()];
    return { key: key.text, operator, values };
  }

  /** A value may be left out: `key=` means the empty value. */
  #value(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#take();
    if (token.kind !== 'word') throw requirementRefused(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** `(a, b)`; each place between commas may be empty and then means the empty value. `()` is an empty set. */
  #set(): string[] {
    const open = this.#take();
    if (open.kind !== '(') throw requirementRefused(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    if (this.#peek().kind === ')') {
      this.#take();
      return [];
    }
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'word') values.add(this.#take().text);
      else if (token.kind === ',' || token.kind === ')') values.add('');
      else throw requirementRefused(`found '${token.text}', expected: ',', ')' or identifier`);
      const after = this.#take();
      if (after.kind === ')') return [...values].toSorted();
      if (after.kind !== ',') throw requirementRefused(`found '${after.text}', expected: ',' or ')'`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? end;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }
}

function tokens(text: string): Token[] {
  const found = text.matchAll(/([^\s=!(),<>]+)|(==|!=|[=!(),<>])/g);
  return Array.from(found, ([token, word]) => ({
    kind: word === undefined ? (token as TokenKind) : 'word',
    text: token,
  }));
}

function refused(problem: string): ApiError {
  return ApiError.badRequest(problem);
}

function requirementRefused(problem: string): ApiError {
  return refused(`unable to parse requirement: ${problem}`);
}
