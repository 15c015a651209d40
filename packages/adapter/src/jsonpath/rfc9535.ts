/** RFC 9535 by json-p3, with the regular expressions of `match` and `search` on RE2 instead of RegExp. */

import { describeError } from '@outrigger/core/errors';
import { FunctionExpressionType, JSONPathEnvironment } from 'json-p3';
import type { FilterFunction, JSONValue } from 'json-p3';
import { compileRegex } from '../regex.ts';
import type { Regex } from '../regex.ts';
import { PathSyntaxError } from './template.ts';

export type Query = (document: unknown) => unknown[];

/** Throws PathSyntaxError. The query throws where a document is nested deeper than `$..` goes. */
export function compileQuery(path: string): Query {
  const environment = new JSONPathEnvironment({ maxRecursionDepth: 500 });
  environment.functionRegister.set(
    'match',
    matcher((pattern) => `^(?:${pattern})$`),
  );
  environment.functionRegister.set(
    'search',
    matcher((pattern) => pattern),
  );
  try {
    const query = environment.compile(path);
    // What was parsed from JSON is a JSON value.
    return (document) => query.query(document as JSONValue).values();
  } catch (error) {
    throw new PathSyntaxError(`no path of RFC 9535: ${describeError(error)}`, { cause: error });
  }
}

/** Patterns may come out of the document, so they are remembered only so far. */
const maxPatterns = 100;

function matcher(whole: (pattern: string) => string): FilterFunction {
  const patterns = new Map<string, Regex | undefined>();
  const compiled = (pattern: string): Regex | undefined => {
    if (patterns.has(pattern)) return patterns.get(pattern);
    if (patterns.size >= maxPatterns) patterns.clear();
    const regex = compiledOrNone(whole(pattern));
    patterns.set(pattern, regex);
    return regex;
  };
  return {
    argTypes: [FunctionExpressionType.ValueType, FunctionExpressionType.ValueType],
    returnType: FunctionExpressionType.LogicalType,
    call: (text: unknown, pattern: unknown) =>
      typeof text === 'string' && typeof pattern === 'string' && compiled(pattern)?.test(text) === true,
  };
}

/** The RFC: what is no regular expression matches nothing. */
function compiledOrNone(pattern: string): Regex | undefined {
  try {
    return compileRegex(pattern);
  } catch {
    // Refusing it is up to no one: the pattern may stand in the document.
    return undefined;
  }
}
