import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { LiveCommands } from '../../src/commands/live.ts';
import { rowsOfReply, writeRow } from '../../src/commands/row.ts';
import type { Row } from '../../src/commands/row.ts';
import { CommandTable, knownRows } from '../../src/commands/table.ts';
import { generatedServers } from '../../src/commands/table.generated.ts';
import { ask } from './asking.ts';

const generate = 'Run: node scripts/redis-commands.mjs';

const servers = [
  ['redis', 'redis-server'],
  ['redis', 'redis-8'],
  ['valkey', 'valkey-8'],
  ['valkey', 'valkey-9'],
] as const;

function sorted(rows: readonly Row[]): string[] {
  return rows.map((row) => writeRow({ ...row, flags: [...row.flags].sort() })).sort();
}

for (const [kind, program] of servers) {
  test(`the table holds what ${program} says`, needs(program), async (t) => {
    const server = await startRedis(t, { program });
    const info = await server.cli('INFO', 'server');
    const version = new RegExp(`^${kind}_version:(\\S+)`, 'm').exec(info)?.[1] ?? '';
    const origin = `${kind} ${version}`;
    const reply = await ask(server, 'COMMAND');
    const live = rowsOfReply(reply, origin);
    t.ok(live.length > 360, `${live.length} commands`);
    const table = new CommandTable();
    t.same(new LiveCommands(table, never).verify(reply), [], 'no command is stricter than the table has it');
    if (!Object.values(generatedServers).includes(origin)) {
      return t.comment(
        `the table was read from another version than ${origin}: compared by its routes alone`,
      );
    }
    const kept = knownRows().filter((row) => row.origin.split(', ').includes(origin));
    t.same(sorted(live), sorted(kept), generate);
    t.same(
      live.filter(({ name }) => table.named(name) === undefined),
      [],
    );
  });
}

async function never(name: string): Promise<never> {
  throw new Error(`asked for ${name}`);
}
