/**
 * Writes the command table of the Redis ambassador, packages/ambassador/src/commands/table.generated.ts, from what COMMAND
 * says on every server that is here: the installed redis-server and those set-up has unpacked.
 *
 *     node scripts/redis-commands.mjs
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askServers } from './redis-commands/ask.mjs';
import { renderTable } from './redis-commands/render.mjs';
import { root } from './setup/paths.mjs';
import { say } from './setup/say.mjs';

const { answers, missing } = await askServers();
for (const reason of missing) say(`! Left out: ${reason}`);
writeFileSync(join(root, 'packages/ambassador/src/commands/table.generated.ts'), renderTable(answers));
say(`✓ ${answers.map(({ server, rows }) => `${server}: ${rows.length}`).join(', ')}`);
