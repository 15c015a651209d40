import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { CommandRules } from '../../src/access/rules.ts';
import { CommandTable } from '../../src/commands/table.ts';

const servers = needs('redis-server', 'redis-cli');
const refusing = { readOnly: false, allow: ['PING'], deny: [] };

test('a refused command is answered as a server answers a user of its own', servers, async (t) => {
  const redis = await startRedis(t, { config: { user: 'app on nopass ~* -@all +ping' } });
  const rules = new CommandRules(refusing, []);
  const table = new CommandTable();
  for (const [name, ...words] of [
    ['SET', 'SET', 'k', 'v'],
    ['CONFIG|SET', 'CONFIG', 'SET', 'maxmemory', '0'],
    ['SORT (no STORE)', 'SORT', 'k'],
    ['EVAL', 'EVAL', 'return 1', '0'],
  ] as const) {
    const theirs = await redis.cli('--user', 'app', '--pass', 'x', '--no-auth-warning', ...words);
    const command = table.named(name);
    const ours = command === undefined ? '' : rules.refusal(command, 'app');
    // Redis 7.2 and later name the user.
    t.equal(ours, theirs.trim().replace(/ User \S+ has /, ' this user has '), name);
  }
});
