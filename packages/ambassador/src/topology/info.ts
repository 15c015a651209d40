/** Reading `INFO`'s answer: lines of `field:value`. */

import type { Sample } from './topology.ts';

export function infoField(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** What `INFO replication` of the process `runId` says; undefined when it lacks what is needed (Redis before 4). */
export function readSample(runId: string, replication: string): Sample | undefined {
  const role = infoField(replication, 'role');
  const replId = infoField(replication, 'master_replid');
  if ((role !== 'master' && role !== 'slave') || replId === undefined) return undefined;
  // What a replica has applied; its own master_repl_offset counts what it has received.
  const offset = Number(
    infoField(replication, role === 'slave' ? 'slave_repl_offset' : 'master_repl_offset'),
  );
  if (!Number.isSafeInteger(offset)) return undefined;
  return { runId, role, replId, offset, syncing: infoField(replication, 'master_sync_in_progress') === '1' };
}
