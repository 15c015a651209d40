/** Replacements as java.util.regex reads them: `$1`, `${name}`, a backslash before what is meant literally. */

import { OutriggerError } from '@outrigger/core/errors';
import type { Captures, Regex, Template } from '../regex.ts';

type Part = string | number;

/** Unlike Go's, `$1_x` is group 1 and then `_x`. Throws CONFIG_INVALID for groups the pattern does not have. */
export function compileJavaTemplate(template: string, regex: Regex | undefined, where: string): Template {
  const parts = [...partsOf(template, regex, where)];
  return (captures: Captures) =>
    parts.map((part) => (typeof part === 'string' ? part : (captures.texts[part] ?? ''))).join('');
}

function* partsOf(template: string, regex: Regex | undefined, where: string): Generator<Part> {
  const groups = regex?.groupCount ?? 0;
  const special = /\\([\s\S])|\$(?:\{([A-Za-z][A-Za-z0-9]*)\}|(\d+))|[$\\]/g;
  let from = 0;
  for (const found of template.matchAll(special)) {
    if (found.index > from) yield template.slice(from, found.index);
    const [whole, escaped, name, digits] = found;
    from = found.index + whole.length;
    if (escaped !== undefined) yield escaped;
    else if (name !== undefined) yield named(name, regex, where);
    else if (digits !== undefined) yield* numbered(digits, groups, where);
    else throw invalid(where, `${JSON.stringify(template)} has a lone ${whole}`, `write \\${whole}`);
  }
  if (from < template.length) yield template.slice(from);
}

function named(name: string, regex: Regex | undefined, where: string): number {
  const group = regex !== undefined && Object.hasOwn(regex.names, name) ? regex.names[name] : undefined;
  if (group === undefined)
    throw invalid(where, `there is no group ${name} in the pattern`, 'name one that is there');
  return group;
}

/** As many digits as make the number of a group; the others are text. */
function* numbered(digits: string, groups: number, where: string): Generator<Part> {
  let length = 1;
  while (length < digits.length && Number(digits.slice(0, length + 1)) <= groups) length++;
  const group = Number(digits.slice(0, length));
  if (group > groups) {
    throw invalid(
      where,
      `$${group}: the pattern has only ${groups} groups`,
      'use one that is there, or write \\$',
    );
  }
  yield group;
  if (length < digits.length) yield digits.slice(length);
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
