import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import type { Command, Route } from '../../src/commands/command.ts';
import { rowsOfReply } from '../../src/commands/row.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { ask, askAll, buffers, errorOf, texts } from './asking.ts';

const table = new CommandTable();
/** Routes of commands that answer once, at once, on a connection shared with others. */
const shared: readonly Route[] = ['read', 'scriptRead', 'primary', 'cursor', 'write', 'script'];

interface Known {
  readonly command: Command;
  readonly arity: number;
}

/** What the server knows and may be asked over a shared connection. */
async function known(server: Redis): Promise<Known[]> {
  const rows = rowsOfReply(await ask(server, 'COMMAND'), '');
  const containers = new Set(
    rows.map(({ name }) => name.split('|')[0]).filter((name, i, all) => all.indexOf(name) !== i),
  );
  return rows
    .filter(({ name }) => !containers.has(name))
    .map(({ name, arity }) => ({ command: table.named(name) as Command, arity }))
    .filter(({ command }) => shared.includes(command.route));
}

for (const program of ['redis-server', 'redis-8', 'valkey-9'] as const) {
  test(
    `a replica of ${program} answers every read and refuses every write`,
    needs(program, 'redis-cli'),
    async (t) => {
      const primary = await startRedis(t, { program });
      const replica = await startRedis(t, { program, replicaOf: primary });
      await eventually('the replica follows', async () =>
        (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
      );
      const commands = await known(replica);
      // As many arguments as it takes to be let in: the role is looked at before what they mean.
      const calls = commands.map(({ command, arity }) => {
        const name = command.name.split('|');
        return [...name, ...Array.from({ length: Math.abs(arity) - name.length }, () => '0')];
      });
      const replies = await askAll(replica, calls);
      const wrong = commands.flatMap(({ command }, i) => {
        const refused = errorOf(replies[i]).startsWith('READONLY');
        const expected =
          command.why === 'flag write' || (command.examine !== undefined && command.route === 'write');
        return refused === expected ? [] : [`${command.name} ${command.route}: ${errorOf(replies[i])}`];
      });
      t.same(wrong, []);
      t.ok(commands.filter(({ command }) => command.route === 'read').length > 70);
      t.ok(commands.filter(({ command }) => command.route === 'write').length > 90);
    },
  );

  test(`what may be repeated changes no data of ${program}`, needs(program), async (t) => {
    const server = await startRedis(t, { program, config: { 'enable-debug-command': 'yes' } });
    await askAll(server, fill);
    const random = seededRandom(4);
    const commands = (await known(server)).filter(
      ({ command }) => !/^(CONFIG|ACL|COMMAND)/.test(command.name),
    );
    const calls = commands
      .flatMap(({ command, arity }) =>
        Array.from({ length: 200 }, () => randomCall(command.name, arity, random)),
      )
      .filter((call) => {
        const { mutates, route } = examined(call);
        return !mutates && shared.includes(route);
      });
    t.ok(calls.some((call) => call[0] === 'SORT') && calls.some((call) => call[0] === 'BITFIELD'));
    const before = await digest(server);
    let answered = 0;
    // In parts, so that a change is known to be by one of them.
    for (let from = 0; from < calls.length; from += 200) {
      const part = calls.slice(from, from + 200);
      const replies = await askAll(server, part);
      answered += replies.filter((reply) => reply.type !== 'error').length;
      if ((await digest(server)) !== before) {
        t.fail(`data changed by one of\n${part.map((call) => call.join(' ')).join('\n')}`);
        return;
      }
    }
    t.ok(answered > calls.length / 5, `${answered} of ${calls.length} calls made sense`);
  });
}

/** Data of every type, and cached cardinalities, which the first PFCOUNT writes. */
const fill = [
  'SET s 5',
  'SETRANGE bits 100 x',
  'RPUSH l 3 1 2',
  'SADD set 1 2 3',
  'HSET h 1 a 2 b',
  'ZADD z 1 a 2 b',
  'GEOADD g 13.36 38.11 a 15.08 37.5 b',
  'XADD x 1-1 f v',
  'XGROUP CREATE x grp 0',
  'PFADD hll a b',
  'PFCOUNT hll',
].map((line) => line.split(' '));

const words =
  's bits l set h z g x hll d 0 1 2 -1 a b m km STREAMS STORE STOREDIST BY GET LIMIT ASC ALPHA u8 SET INCRBY COUNT grp WITHSCORES nosort'.split(
    ' ',
  );

function randomCall(name: string, arity: number, random: Random): string[] {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const parts = name.split('|');
  const least = Math.abs(arity) - parts.length;
  const length = arity > 0 ? least : least + below(6);
  return [...parts, ...Array.from({ length }, () => words[below(words.length)] as string)];
}

function examined(call: readonly string[]): Command {
  const command = table.named(call[0] as string) ?? table.unknown;
  return command.examine?.(buffers(call)) ?? command;
}

async function digest(server: Redis): Promise<string> {
  const reply = await ask(server, 'DEBUG', 'DIGEST');
  return reply.type === 'simple' ? reply.text : texts(reply).join();
}
