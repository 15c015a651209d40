/** Files of other exporters, read by a schema: unknown fields and wrong values are refused, all of them at once. */

import { applySchemaDefaults, checkStructure } from '@outrigger/core/api';
import type { Infer, Schema, Typed } from '@outrigger/core/api';
import { InvalidConfig, refuseInvalid } from '@outrigger/core/config';
import { isRecord } from '../jsonpath/record.ts';

/** Throws InvalidConfig. `value` is left as it is. */
export function readBySchema<T, S extends Schema>(schema: Typed<T, S>, value: unknown): Infer<typeof schema> {
  const copy = withTexts(schema, structuredClone(value ?? {}));
  const { errors, unknown } = checkStructure(schema, copy);
  if (unknown.length > 0) {
    const known = (path: string): string => path.replace(/^\./, '');
    throw new InvalidConfig(
      unknown.map((path) => ({ path: known(path), got: 'a field', want: 'no such field' })),
    );
  }
  refuseInvalid(errors);
  applySchemaDefaults(schema, copy);
  return copy as Infer<typeof schema>;
}

/** YAML reads `1` and `true` as what they look like; where a text is wanted Go takes them as texts. */
function withTexts(schema: Schema, value: unknown): unknown {
  if (schema.type === 'string')
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (schema.type === 'list' && Array.isArray(value))
    return value.map((entry) => withTexts(schema.items, entry));
  if (!isRecord(value)) return value;
  if (schema.type === 'map') return mapped(value, () => schema.values);
  if (schema.type === 'object')
    return mapped(value, (name) => (Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined));
  return value;
}

function mapped(
  value: Readonly<Record<string, unknown>>,
  schemaOf: (name: string) => Schema | undefined,
): Record<string, unknown> {
  const entries = Object.entries(value).map(([name, entry]): [string, unknown] => {
    const schema = schemaOf(name);
    return [name, schema === undefined ? entry : withTexts(schema, entry)];
  });
  return Object.fromEntries(entries);
}
