import { test } from 'tap';
import { decodeReply, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { keysOf } from '../../src/commands/keys.ts';
import { LiveCommands, maxLearnedCommands } from '../../src/commands/live.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { ask, buffers, errorOf } from './asking.ts';

/** One entry of COMMAND INFO as a module's command has it: `name arity flags first last step`, subcommands in turn. */
function entry(line: string, subcommands: readonly string[] = []): RespValue {
  const [name = '', arity, flags = '', ...keys] = line.split(' ');
  return list([
    bulk(name),
    integer(arity),
    list(flags.split(',').map((text) => ({ type: 'simple', text }))),
    ...[0, 1, 2].map((i) => integer(keys[i] ?? '0')),
    ...[list([]), list([]), list([])],
    list(subcommands.map((sub) => entry(sub))),
  ]);
}

function list(items: readonly RespValue[]): RespValue {
  return { type: 'list', items };
}

function bulk(text: string): RespValue {
  return { type: 'bulk', bytes: Buffer.from(text) };
}

function integer(value: string | undefined): RespValue {
  return { type: 'integer', value: Number(value) };
}

const nobody = list([{ type: 'nullList' }]);

/** Live commands of a server that answers so, and what it was asked. */
function server(answer: (name: string) => RespValue): {
  live: LiveCommands;
  table: CommandTable;
  asked: string[];
} {
  const asked: string[] = [];
  const table = new CommandTable();
  const live = new LiveCommands(table, (name) => {
    asked.push(name);
    return Promise.resolve(answer(name));
  });
  return { live, table, asked };
}

test('a command of a module is asked for once and routed by its flags', async (t) => {
  const rows: Record<string, string> = {
    'JSON.GET': 'json.get -2 readonly 1 1 1',
    'JSON.SET': 'json.set -4 write,denyoom 1 1 1',
    'X.WAIT': 'x.wait 2 readonly,blocking 1 1 1',
    'X.POP': 'x.pop 2 blocking 1 1 1',
    'X.ODD': 'x.odd 1 admin 0 0 0',
    'X.MANY': 'x.many -2 readonly,movablekeys 0 0 0',
  };
  const { live, table, asked } = server((name) => list([entry(rows[name] as string)]));
  const expected: Record<string, object> = {
    'JSON.GET': { route: 'read', mutates: false, why: 'flag readonly', origin: 'asked' },
    'JSON.SET': { route: 'write', mutates: true },
    'X.WAIT': { route: 'blocking', mutates: false },
    'X.POP': { route: 'blocking', mutates: true },
    'X.ODD': { route: 'write', mutates: true, why: /in doubt/ },
    'X.MANY': { route: 'read', keys: { first: 0 } },
  };
  for (const [name, want] of Object.entries(expected)) {
    t.equal(live.known(name), undefined);
    const command = await live.learn(name);
    t.match(command, { name, ...want });
    t.equal(live.known(name), command);
    t.equal(await live.learn(name), command);
    t.equal(table.named(name), undefined, 'the table stays what it was');
  }
  t.same(asked, Object.keys(rows));
  const indexes = Object.keys(rows).map((name) => live.known(name)?.index);
  t.same(
    indexes,
    indexes.map((_, i) => table.size + i),
    'indexes go on where the table ends',
  );
  const found = keysOf(await live.learn('JSON.GET'), buffers(['JSON.GET', 'k', '$']));
  t.same(found, [1]);
  t.same(keysOf(await live.learn('X.MANY'), buffers(['X.MANY', 'k'])), [], 'keys nobody can tell');
});

test('a container of a module brings its subcommands', async (t) => {
  const { live, table } = server(() =>
    list([entry('x.y -2 - 0 0 0', ['x.y|see 3 readonly 2 2 1', 'x.y|put 3 write 2 2 1'])]),
  );
  const container = await live.learn('X.Y');
  const sub = (name: string): unknown => container.examine?.(buffers(['x.y', name, 'k']));
  t.match(sub('see'), { name: 'X.Y|SEE', route: 'read' });
  t.match(sub('PUT'), { name: 'X.Y|PUT', route: 'write', mutates: true });
  t.match(sub('new'), { name: 'X.Y', route: 'primary', mutates: true });
  t.match(container, { index: table.size });
});

test('what no server knows is a write, and is not asked for again', async (t) => {
  const { live, table, asked } = server(() => nobody);
  t.equal(await live.learn('NOPE'), table.unknown);
  t.equal(live.known('NOPE'), table.unknown);
  t.equal(await live.learn('NOPE'), table.unknown);
  t.same(asked, ['NOPE']);
});

test('where COMMAND is denied everything unknown is a write', async (t) => {
  const { live, table, asked } = server(() => decodeReply(Buffer.from('-NOPERM no permissions\r\n')));
  t.equal(await live.learn('JSON.GET'), table.unknown);
  t.equal(await live.learn('JSON.GET'), table.unknown);
  t.same(asked, ['JSON.GET']);
});

test('a server that cannot be asked is asked again', async (t) => {
  let times = 0;
  const table = new CommandTable();
  const live = new LiveCommands(table, async () => {
    times++;
    if (times === 1) throw new Error('connection lost');
    if (times === 2) return { type: 'error', text: 'NOAUTH Authentication required.' };
    return list([entry('json.get -2 readonly 1 1 1')]);
  });
  for (const _failure of ['connection lost', 'NOAUTH']) {
    t.equal(await live.learn('JSON.GET'), table.unknown);
    t.equal(live.known('JSON.GET'), undefined);
  }
  t.equal((await live.learn('JSON.GET')).route, 'read');
});

test('many sessions that see a name at once ask once', async (t) => {
  const { live, asked } = server(() => list([entry('json.get -2 readonly 1 1 1')]));
  const commands = await Promise.all([
    live.learn('JSON.GET'),
    live.learn('JSON.GET'),
    live.learn('JSON.GET'),
  ]);
  t.equal(new Set(commands).size, 1);
  t.same(asked, ['JSON.GET']);
});

test('a subcommand written as one word is no command', async (t) => {
  const { live, table, asked } = server(() => list([entry('object|freq 3 readonly 2 2 1')]));
  t.equal(await live.learn('OBJECT|FREQ'), table.unknown);
  t.same(asked, [], 'COMMAND INFO would know it');
});

test('a client that makes names up pushes out made-up names only', async (t) => {
  const { live, table, asked } = server((name) =>
    name === 'JSON.GET' ? list([entry('json.get -2 readonly 1 1 1')]) : nobody,
  );
  await live.learn('JSON.GET');
  for (let i = 0; i < maxLearnedCommands + 5; i++) await live.learn(`MADEUP${i}`);
  t.equal(live.known('JSON.GET')?.route, 'read');
  t.equal(live.known('MADEUP4'), undefined, 'the oldest are forgotten');
  t.equal(live.known('MADEUP5'), table.unknown);
  t.equal(asked.length, maxLearnedCommands + 6);
  t.same(live.kept, { learned: 1, unknown: maxLearnedCommands });
});

test('no server can make the ambassador learn without end', async (t) => {
  const { live, table } = server((name) => list([entry(`${name} 1 readonly 0 0 0`)]));
  for (let i = 0; i < maxLearnedCommands; i++) await live.learn(`M${i}`);
  t.equal((await live.learn(`M${maxLearnedCommands - 1}`)).index, table.size + maxLearnedCommands - 1);
  t.equal(await live.learn('ONE.MORE'), table.unknown);
});

test('a whole COMMAND reply teaches what is new, and wins where it is stricter', (t) => {
  const { live, table } = server(() => nobody);
  const reply = list([
    entry('get 2 write 1 1 1'),
    entry('set -3 readonly 1 1 1'),
    entry('strlen 2 readonly,blocking 1 1 1'),
    entry('touch -2 write 1 1 1'),
    entry('ttl 2 fast 1 1 1'),
    entry('ping -1 fast 0 0 0'),
    entry('sort -2 readonly 1 1 1'),
    entry('hello -1 write 0 0 0'),
    entry('object -2 write 0 0 0', ['object|freq 3 write 2 2 1']),
    entry('x.y -2 - 0 0 0', ['x.y|see 3 readonly 2 2 1']),
  ]);
  const differences = live.verify(reply).map(({ name, was, is }) => `${name}: ${was} → ${is}`);
  t.same(differences, [
    'GET: read → write',
    'STRLEN: read → blocking',
    'TOUCH: primary → write',
    'TTL: read → write',
    'OBJECT|FREQ: primary → write',
  ]);
  t.match(table.named('GET'), {
    route: 'write',
    mutates: true,
    why: "the server's flag write",
    origin: 'asked',
  });
  t.match(table.find(Buffer.from('GET'), 3), { route: 'write' });
  t.match(table.named('SET'), { route: 'write' }, 'the milder does not win');
  t.match(table.named('OBJECT')?.examine?.(buffers(['OBJECT', 'FREQ', 'k'])), { route: 'write' });
  t.match(live.known('X.Y')?.examine?.(buffers(['X.Y', 'SEE', 'k'])), { name: 'X.Y|SEE', route: 'read' });
  t.same(live.verify(reply), [], 'said once');
  t.end();
});

test(
  'a real server tells of renamed commands and knows nothing of functions',
  needs('redis-server'),
  async (t) => {
    // Modules are not packaged for Debian: names the table does not have are made by renaming.
    const redis = await startRedis(t, { config: { 'rename-command': 'GETDEL TAKE' } });
    const table = new CommandTable();
    const live = new LiveCommands(table, (name) => ask(redis, 'COMMAND', 'INFO', name));
    t.equal(await live.learn('TAKE'), table.named('GETDEL'));
    t.equal(live.known('TAKE'), table.named('GETDEL'));
    await ask(
      redis,
      'FUNCTION',
      'LOAD',
      '#!lua name=l\nredis.register_function("myfunction", function() return 1 end)',
    );
    t.equal(await live.learn('MYFUNCTION'), table.unknown);
    t.match(errorOf(await ask(redis, 'MYFUNCTION')), /unknown command/, 'and Redis says so too');
    t.match(errorOf(await ask(redis, 'OBJECT|FREQ', 'k')), /unknown command/);
  },
);

test('a real server that denies COMMAND leaves a name in doubt', needs('redis-server'), async (t) => {
  const redis = await startRedis(t);
  await ask(redis, 'ACL', 'SETUSER', 'default', '-command');
  const table = new CommandTable();
  const live = new LiveCommands(table, (name) => ask(redis, 'COMMAND', 'INFO', name));
  t.equal(await live.learn('JSON.GET'), table.unknown);
  t.same(live.verify(await ask(redis, 'COMMAND')), []);
});

test('replies may come in RESP3', (t) => {
  const { live, table } = server(() => nobody);
  const set: RespValue = { type: 'set', items: [{ type: 'simple', text: 'write' }] };
  const reply = list([list([bulk('get'), integer('2'), set, integer('1'), integer('1'), integer('1')])]);
  t.equal(live.verify(decodeReply(encodeReply(reply))).length, 1);
  t.equal(table.named('GET')?.route, 'write');
  t.end();
});

test('a learned command is found by its index, as those of the table are', async (t) => {
  const { live, table } = server((name) => list([entry(`${name.toLowerCase()} -2 readonly 1 1 1`)]));
  const learned = [await live.learn('JSON.GET'), await live.learn('FT.SEARCH')];
  t.same(
    learned.map(({ index }) => live.at(index)?.name),
    ['JSON.GET', 'FT.SEARCH'],
  );
  t.equal(live.at(table.unknown.index), undefined);
});
