/** A series' names as the page writes them, up to the value. */

import type { LabelPairs } from '@outrigger/core/exposition';

/** `name{a="b",c="d"`, labels sorted, without the closing brace; `name` without labels. */
export function ownText(name: string, labels: LabelPairs): string {
  if (labels.length === 0) return name;
  const [first] = labels;
  if (labels.length === 1 && first !== undefined) return `${name}{${first[0]}="${escapeValue(first[1])}"`;
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  let text = name;
  let before = '{';
  for (const [label, value] of sorted) {
    text += `${before}${label}="${escapeValue(value)}"`;
    before = ',';
  }
  return text;
}

/** The rest of the text: labels of every series that the series does not have itself, the brace and the space. */
export function restText(own: string, name: string, common: LabelPairs): string {
  const has = ownNames(own.slice(name.length));
  let text = '';
  let before = own.length === name.length ? '{' : ',';
  for (const [label, value] of common) {
    if (has.has(label)) continue;
    text += `${before}${label}="${escapeValue(value)}"`;
    before = ',';
  }
  return before === '{' ? ' ' : `${text}} `;
}

/** Names of labels in `{a="b",c="d"`. */
function ownNames(labels: string): Set<string> {
  return new Set(
    [...labels.matchAll(/[{,]([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"/gs)].map((m) => m[1] ?? ''),
  );
}

const special = /[\\"\n]/;

export function escapeValue(value: string): string {
  if (!special.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
