/** Field selectors: `metadata.name=x,status.phase!=Running`, over the fields each kind offers. */

import type { Kind, KubernetesObject } from '../schema.ts';
import { ApiError } from '../status.ts';

/** What a field selector looks at: values of the kind's selectable fields beside the object's place. */
export interface SelectableValues {
  readonly namespace: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
}

export class FieldSelector {
  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  /** Selects every object. */
  get empty(): boolean {
    return this.requirements.length === 0;
  }

  matches(values: SelectableValues): boolean {
    return this.requirements.every(
      ({ field, equals, value }) => (valueOf(values, field) === value) === equals,
    );
  }

  /** The only value that `field` can have in what is selected, where the selector says so. */
  exact(field: string): string | undefined {
    return this.requirements.find((requirement) => requirement.field === field && requirement.equals)?.value;
  }

  toString(): string {
    return this.requirements
      .map(({ field, equals, value }) => `${field}${equals ? '=' : '!='}${value.replace(/[\\,=]/g, '\\$&')}`)
      .join(',');
  }
}

/** The selector of `fieldSelector=…`; `''` selects everything. Throws ApiError (400) in Kubernetes' words. */
export function parseFieldSelector(text: string, kind: Pick<Kind, 'selectableFields'>): FieldSelector {
  const requirements = terms(text).map((term) => {
    const requirement = parseTerm(term, text);
    const known =
      place.includes(requirement.field) || Object.hasOwn(kind.selectableFields, requirement.field);
    if (!known) throw ApiError.badRequest(`field label not supported: ${requirement.field}`);
    return requirement;
  });
  return new FieldSelector(requirements);
}

/** The values of one object, for those who keep them beside it. */
export function selectableValues<T extends KubernetesObject>(kind: Kind<T>, object: T): SelectableValues {
  const fields = Object.entries(kind.selectableFields).map(([field, read]) => [field, read(object)] as const);
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    fields: Object.fromEntries(fields),
  };
}

const place = ['metadata.name', 'metadata.namespace'];

function valueOf(values: SelectableValues, field: string): string {
  if (field === 'metadata.name') return values.name;
  if (field === 'metadata.namespace') return values.namespace;
  return values.fields[field] ?? '';
}

/** Splits at commas that no backslash precedes; empty terms mean nothing. */
function terms(text: string): string[] {
  return (text.match(/(?:\\[\s\S]|[^,\\])+/g) ?? []).filter((term) => term !== '');
}

function parseTerm(term: string, whole: string): FieldRequirement {
  const match = /^((?:\\[\s\S]|[^=!\\])*)(==|!=|=)([\s\S]*)$/.exec(term);
  const value = match === null ? undefined : unescape(match[3] ?? '');
  if (match === null || value === undefined) {
    throw ApiError.badRequest(`invalid selector: '${whole}'; can't understand '${term}'`);
  }
  return { field: (match[1] ?? '').trim(), equals: match[2] !== '!=', value };
}

/** `\,`, `\=` and `\\`; undefined for any other escape or a bare `=`. */
function unescape(text: string): string | undefined {
  if (!/^(?:\\[\\,=]|[^\\=])*$/.test(text)) return undefined;
  return text.replace(/\\([\\,=])/g, '$1');
}
