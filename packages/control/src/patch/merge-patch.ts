/** JSON Merge Patch (RFC 7386): null removes, objects merge, everything else replaces. */

import { checkDepth, clone, field, isObject, setField } from './json.ts';
import type { JsonObject } from './json.ts';

/** The patched document; neither argument is changed. Throws PATCH_MALFORMED for a patch nested too deeply. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  checkDepth(patch);
  return merged(document, patch);
}

function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else setField(result, name, merged(field(result, name), value));
  }
  return result;
}
