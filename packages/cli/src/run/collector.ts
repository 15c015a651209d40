/** How the garbage collector is set for daemons that would otherwise pay for what they do not need. */

import { setFlagsFromString } from 'node:v8';

/**
 * Each read of a socket allocates 64 KiB outside the heap, and V8 by default begins a full collection for every few
 * megabytes of that. Counted together with the heap they are collected when there is reason to: a third less CPU per
 * 16 KiB value. The flag is V8's of Node 24; another version may not know it, and would complain on stderr.
 */
export function collectReadBuffersLater(): void {
  if (process.versions.node.startsWith('24.'))
    setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/**
 * The adapter keeps its series outside the heap, and what it allocates dies young; yet every collection leaves a little
 * behind, and V8 doubles the young generation for it until some 40 MiB are resident for good. It stays as it begins.
 */
export function keepYoungGenerationSmall(): void {
  if (process.versions.node.startsWith('24.')) setFlagsFromString('--semi-space-growth-factor=1');
}
