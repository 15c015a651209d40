/** Reading `INFO`'s answer: lines of `field:value`. */

import { formatAddress } from '@outrigger/core/net';
import type { Sample } from './topology.ts';

/** `master_replid2` of a server that continues no other history. */
const noHistory = /^0+$/;

export function infoField(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** What `INFO replication` of the process `runId` says; undefined when it lacks what is needed (Redis before 4). */
export function readSample(runId: string, replication: string): Sample | undefined {
  const field = (name: string): string | undefined => infoField(replication, name);
  const role = field('role');
  const replId = field('master_replid');
  if ((role !== 'master' && role !== 'slave') || replId === undefined) return undefined;
  // What a replica has applied; its own master_repl_offset counts what it has received.
  const offset = Number(field(role === 'slave' ? 'slave_repl_offset' : 'master_repl_offset'));
  if (!Number.isSafeInteger(offset)) return undefined;
  const previous = field('master_replid2') ?? '';
  const host = field('master_host');
  return {
    runId,
    role,
    replId,
    offset,
    syncing: field('master_sync_in_progress') === '1',
    previousReplId: previous === '' || noHistory.test(previous) ? undefined : previous,
    linkDown: role === 'slave' && field('master_link_status') === 'down',
    follows:
      role === 'slave' && host !== undefined
        ? formatAddress({ kind: 'tcp', host, port: Number(field('master_port')) })
        : undefined,
  };
}
