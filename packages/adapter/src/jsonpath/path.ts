/** Paths into JSON documents, in either dialect: RFC 9535 where they begin with `$`, else templates of Kubernetes. */

import { describeError, OutriggerError } from '@outrigger/core/errors';
import { evaluate } from './evaluate.ts';
import type { Piece } from './evaluate.ts';
import { compileQuery } from './rfc9535.ts';
import { parseTemplate, PathSyntaxError } from './template.ts';

export interface JsonPath {
  readonly dialect: 'kubernetes' | 'rfc9535';
  /** Text alone, without a path in it. */
  readonly isConstant: boolean;
  /** The values that all its paths find; undefined where one names something that is not there. */
  select(document: unknown): readonly unknown[] | undefined;
  /** One value as it is if that is all there is, else the text of everything; undefined where something is missing. */
  resolve(document: unknown): unknown;
}

/** `$` alone, or what RFC 9535 has after it: other texts may begin with a dollar too. */
const standard = /^\s*\$\s*(?:[.[]|$)/;

/** Throws CONFIG_INVALID. `where`: what the path is for. */
export function compileJsonPath(text: string, where: string): JsonPath {
  try {
    return standard.test(text) ? standardPath(text.trim()) : templatePath(text);
  } catch (error) {
    if (!(error instanceof PathSyntaxError)) throw error;
    throw new OutriggerError(`${where}: ${JSON.stringify(text)}: ${describeError(error)}`, {
      code: 'CONFIG_INVALID',
      target: where,
      hint: 'write a template such as {.a.b}, or a path of RFC 9535 such as $.a.b',
      cause: error,
    });
  }
}

/** A value in a text: texts as they are, null as nothing, objects and lists as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return JSON.stringify(value);
}

function templatePath(text: string): JsonPath {
  const nodes = parseTemplate(text);
  return {
    dialect: 'kubernetes',
    isConstant: nodes.every(({ kind }) => kind === 'text'),
    select: (document) =>
      evaluate(nodes, document)?.flatMap((piece) => ('values' in piece ? piece.values : [])),
    resolve: (document) => {
      const pieces = evaluate(nodes, document);
      return pieces === undefined ? undefined : resolved(pieces);
    },
  };
}

function standardPath(text: string): JsonPath {
  const query = compileQuery(text);
  return {
    dialect: 'rfc9535',
    isConstant: false,
    select: query,
    resolve: (document) => {
      const values = query(document);
      return values.length === 0 ? undefined : resolved([{ values }]);
    },
  };
}

function resolved(pieces: readonly Piece[]): unknown {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined && 'values' in only && only.values.length === 1)
    return only.values[0];
  return pieces.map((piece) => ('text' in piece ? piece.text : piece.values.map(textOf).join(' '))).join('');
}
