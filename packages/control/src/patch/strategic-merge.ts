/**
 * Strategic merge patch: a merge patch that knows which lists are merged item by item, from the schema of the kind, and
 * takes directives (`directives.ts`) where merging alone cannot say it. kubectl edits and applies built-in kinds with it.
 */

import type { ObjectSchema, Schema } from '@outrigger/core/api';
import { readDirectives, withoutDirectives } from './directives.ts';
import type { Directed } from './directives.ts';
import { malformed } from './errors.ts';
import { checkDepth, clone, field, isObject, setField } from './json.ts';
import type { JsonObject } from './json.ts';
import { applyOrder, deleteValues, listStrategy, mergeLists } from './strategic-list.ts';

/**
 * The patched object; no argument is changed. Throws PATCH_MALFORMED (400) for a patch that is no object, directives of
 * a wrong form, and list items without their merge key.
 */
export function applyStrategicMergePatch(current: unknown, patch: unknown, schema: ObjectSchema): unknown {
  if (!isObject(patch)) throw malformed('a strategic merge patch must be an object');
  checkDepth(patch);
  // Merging shares what it does not change; the copy keeps the result apart from both arguments.
  return clone(mergeObjects(isObject(current) ? current : {}, patch, schema));
}

function mergeObjects(current: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directed = readDirectives(patch);
  if (directed.directive === 'delete') return {};
  if (directed.directive === 'replace') return withoutDirectives(directed.fields) as JsonObject;
  const result = retained(current, directed.retainKeys);
  for (const [name, value] of Object.entries(directed.fields)) {
    if (value === null) delete result[name];
    else setField(result, name, mergeField(field(result, name), value, fieldSchema(schema, name), name));
  }
  for (const [name, values] of directed.deletions) {
    const list = field(result, name);
    if (Array.isArray(list)) setField(result, name, deleteValues(list, values));
  }
  orderLists(result, current, directed, schema);
  return result;
}

function mergeField(current: unknown, value: unknown, schema: Schema | undefined, name: string): unknown {
  if (isObject(current) && isObject(value)) return mergeObjects(current, value, schema ?? anything);
  if (Array.isArray(value)) {
    return mergeLists(asList(current), value, listStrategy(schema), name, mergeObjects);
  }
  return withoutDirectives(value);
}

function retained(current: JsonObject, retainKeys: ReadonlySet<string> | undefined): JsonObject {
  const result = { ...current };
  if (retainKeys === undefined) return result;
  for (const name of Object.keys(result)) if (!retainKeys.has(name)) delete result[name];
  return result;
}

function orderLists(
  result: JsonObject,
  current: JsonObject,
  { orders, fields }: Directed,
  schema: Schema,
): void {
  for (const [name, wanted] of orders) {
    const merged = field(result, name);
    if (!Array.isArray(merged)) continue;
    const before = field(current, name);
    const patch = field(fields, name);
    const strategy = listStrategy(fieldSchema(schema, name));
    setField(result, name, applyOrder(merged, wanted, asList(before), asList(patch), strategy, name));
  }
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const anything: Schema = { type: 'any' };

function fieldSchema(schema: Schema, name: string): Schema | undefined {
  if (schema.type === 'map') return schema.values;
  if (schema.type !== 'object' || !Object.hasOwn(schema.fields, name)) return undefined;
  return schema.fields[name];
}
