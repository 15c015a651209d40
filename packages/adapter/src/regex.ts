/**
 * Regular expressions of users. They run on names and lines that anybody may send, so their engine is RE2's, whose
 * time is linear in the text: no pattern can be made to take minutes. What RE2 does not have (back-references,
 * possessive quantifiers) is refused when the configuration is read.
 */

import { describeError, OutriggerError } from '@outrigger/core/errors';
import { RE2JS } from 're2js';

/** What matched: the whole at 0, then the groups; undefined where a group took no part. */
export interface Captures {
  readonly texts: readonly (string | undefined)[];
  /** Name → number of the group. */
  readonly names: Readonly<Record<string, number>>;
}

export interface Regex {
  readonly source: string;
  readonly groupCount: number;
  /** Name → number of the group. */
  readonly names: Readonly<Record<string, number>>;
  /** True if the text contains a match. */
  test(text: string): boolean;
  /** The leftmost match. */
  find(text: string): Captures | undefined;
}

/** `anchored`: the text must match as a whole, line breaks included (Prometheus' relabelling). */
export interface RegexOptions {
  readonly anchored?: boolean;
}

/** Throws ADAPTER_BAD_REGEX. */
export function compileRegex(source: string, options: RegexOptions = {}): Regex {
  const compiled = compiledOrRefused(options.anchored === true ? `^(?s:${source})$` : source, source);
  const names: Readonly<Record<string, number>> = { ...compiled.namedGroups() };
  const groupCount = compiled.groupCount();
  return {
    source,
    groupCount,
    names,
    test: (text) => compiled.test(text),
    find: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const texts: (string | undefined)[] = [];
      for (let group = 0; group <= groupCount; group++) texts.push(matcher.group(group) ?? undefined);
      return { texts, names };
    },
  };
}

export type Template = (captures: Captures) => string;

/**
 * A replacement as Go's regexp.Expand reads it, which is what Prometheus and statsd_exporter use: `$1`, `$name`,
 * `${1}`, `${name}`, `$$` for a dollar. A name is as long as it can be (`$1x` is the group `1x`); groups that do not
 * exist, or took no part, are empty; a dollar that begins nothing stays.
 */
export function compileTemplate(template: string): Template {
  const parts = [...partsOf(template)];
  const [only] = parts;
  if (parts.length === 0) return () => '';
  if (parts.length === 1 && only !== undefined && 'text' in only) return () => only.text;
  return (captures) => {
    let text = '';
    for (const part of parts) text += 'text' in part ? part.text : (groupText(captures, part.group) ?? '');
    return text;
  };
}

type Part = { readonly text: string } | { readonly group: string };

function* partsOf(template: string): Generator<Part> {
  const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;
  let from = 0;
  for (const found of template.matchAll(reference)) {
    if (found.index > from) yield { text: template.slice(from, found.index) };
    const group = found[1] ?? found[2];
    yield group === undefined ? { text: '$' } : { group };
    from = found.index + found[0].length;
  }
  if (from < template.length) yield { text: template.slice(from) };
}

function groupText(captures: Captures, group: string): string | undefined {
  // Like Go: a number has no leading zero, else it is a name.
  if (/^(?:0|[1-9]\d*)$/.test(group)) return captures.texts[Number(group)];
  if (!Object.hasOwn(captures.names, group)) return undefined;
  return captures.texts[captures.names[group] ?? -1];
}

function compiledOrRefused(wrapped: string, source: string): RE2JS {
  try {
    // Alone first: `a)(b` must not become well-formed by what is put around it.
    const alone = RE2JS.compile(source);
    return wrapped === source ? alone : RE2JS.compile(wrapped);
  } catch (error) {
    throw new OutriggerError(`the regular expression ${JSON.stringify(source)} is not one of RE2`, {
      code: 'ADAPTER_BAD_REGEX',
      target: source,
      hint: `${describeError(error)}; see https://github.com/google/re2/wiki/Syntax (no back-references)`,
      cause: error,
    });
  }
}
