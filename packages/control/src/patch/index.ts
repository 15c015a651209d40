/** Patches as pure functions on JSON values: JSON Patch, JSON Merge Patch and strategic merge. */

export type { PatchErrorCode } from './errors.ts';
export { PatchError, patchStatus } from './errors.ts';
export { applyJsonPatch, maxCopiedChars, maxOperations, maxShiftedItems } from './json-patch.ts';
export { applyMergePatch } from './merge-patch.ts';
export { applyStrategicMergePatch } from './strategic-merge.ts';
export { maxDepth } from './json.ts';
