/**
 * An attribute as Jolokia writes it → the plain values in it. JSON does not say whether an object was CompositeData,
 * TabularData or a Map; its shape does well enough:
 * - every row names itself: `{"a": {"Id": "a", …}, "b": {"Id": "b", …}}` is TabularData with the index Id;
 * - rows of one shape (`{"Eden": {used, max}, "Old": {used, max}}`), or keys that are no identifiers, are a Map, which
 *   JMX shows as TabularData with the index `key`;
 * - anything else is CompositeData, whose keys are the path to the value.
 */

import { isRecord } from '../jsonpath/record.ts';

export type PlainValue = number | string | boolean;

export interface AttributeValue {
  /** Those of the bean, and the indexes of the tables on the way. */
  readonly properties: readonly (readonly [key: string, value: string])[];
  readonly path: readonly string[];
  readonly name: string;
  readonly value: PlainValue;
}

type Properties = AttributeValue['properties'];
type Document = Readonly<Record<string, unknown>>;

/** Deeper values are left out; Jolokia itself goes to 15. */
const maxDepth = 16;

/** Lists and null have no values. */
export function* valuesIn(properties: Properties, name: string, value: unknown): Generator<AttributeValue> {
  yield* walk({ properties, path: [], name, value }, 0);
}

interface At {
  readonly properties: Properties;
  readonly path: readonly string[];
  readonly name: string;
  readonly value: unknown;
}

function* walk(at: At, depth: number): Generator<AttributeValue> {
  const { value } = at;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    yield { ...at, value };
  else if (isRecord(value) && depth < maxDepth) {
    const index = indexOf(value);
    if (index === undefined) yield* composite(at, value, depth);
    else for (const [key, row] of Object.entries(value)) yield* tableRow(at, index, key, row, depth);
  }
}

function* composite(at: At, value: Document, depth: number): Generator<AttributeValue> {
  const path = [...at.path, at.name];
  for (const [name, inner] of Object.entries(value)) {
    yield* walk({ properties: at.properties, path, name, value: inner }, depth + 1);
  }
}

/** A column called value is not named after itself. */
function* tableRow(
  at: At,
  index: string,
  key: string,
  row: unknown,
  depth: number,
): Generator<AttributeValue> {
  const properties = [...at.properties.filter(([name]) => name !== index), [index, key] as const];
  if (!isRecord(row)) return yield* walk({ ...at, properties, value: row }, depth + 1);
  for (const [column, inner] of Object.entries(row)) {
    if (column === index) continue;
    const named = column.toLowerCase() === 'value';
    const to = named ? { path: at.path, name: at.name } : { path: [...at.path, at.name], name: column };
    yield* walk({ properties, ...to, value: inner }, depth + 1);
  }
}

const identifier = /^[A-Za-z_$][\w$]*$/;

/** The name of a table's index; undefined for what is no table. */
function indexOf(value: Document): string | undefined {
  const rows = Object.entries(value);
  const odd = rows.some(([key]) => !identifier.test(key));
  const records = rows.flatMap(([, row]) => (isRecord(row) ? [row] : []));
  const [first] = records;
  if (first === undefined || records.length < rows.length) return odd ? 'key' : undefined;
  const own = Object.keys(first).find((column) => rows.every(([key], at) => records[at]?.[column] === key));
  if (own !== undefined) return own;
  // One alone has no other to be like: an attribute that holds a single CompositeData.
  if (rows.length === 1 && !odd) return undefined;
  const shape = Object.keys(first).join();
  return shape !== '' && records.every((row) => Object.keys(row).join() === shape) ? 'key' : undefined;
}
