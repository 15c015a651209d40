/** What tests wait for between real servers. */

import { eventually } from '@outrigger/core/testing';
import type { Redis } from '../../../../test/harness/index.ts';

/** Resolves when the replica has its primary's data and hears from it. */
export async function synced(replica: Redis): Promise<void> {
  await eventually('the replica is in sync', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
}
