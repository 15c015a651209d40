import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { without } from './allowed.ts';
import { Connection } from './connection.ts';
import { differences } from './differences.ts';
import { connectionFamilies, dataFamilies, primaryFamilies } from './families.ts';
import { childrenOf, content } from './frames.ts';
import { leftOut } from './left-out.ts';
import { programs } from './program.ts';
import type { Program } from './program.ts';
import type { Entry } from './run.ts';
import { startPlainSides } from './sides.ts';

const redis = needs('redis-server', 'redis-cli');
const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const all = [...dataFamilies, ...connectionFamilies, ...primaryFamilies].flat();

test(`two plain servers agree, and run every command (PROGRAM_SEED=${seed})`, redis, async (t) => {
  const [one, other] = await startPlainSides(t, seed);
  const [want, got] = await Promise.all([one.runAll(all), other.runAll(all)]);
  t.strictSame(
    differences(all, want, got),
    [],
    'what differs between them is nobody’s fault: it must be allowed',
  );
  t.equal(want.flatMap(unanswered).join('\n'), '', 'every line gets what it says it gets');

  const names = await commandNames(await connectionTo(t));
  const succeeded = new Set(
    want
      .flat()
      .filter(succeeds)
      .map(({ line }) => commandOf(line.words, names)),
  );
  const missing = names.filter((name) => !succeeded.has(name) && !isLeftOut(name));
  t.strictSame(missing, [], 'every command is run with success');
  const needless = Object.keys(leftOut).filter((name) => succeeded.has(name));
  t.strictSame(needless, [], 'no reason is left of a command that is run');
});

async function connectionTo(t: Parameters<typeof startRedis>[0]): Promise<Connection> {
  const connection = await Connection.to((await startRedis(t)).port);
  t.teardown(() => connection.destroy());
  return connection;
}

/** Of containers the subcommands alone. */
async function commandNames(connection: Connection): Promise<string[]> {
  const names = (childrenOf(await connection.ask('COMMAND', 'LIST')) ?? []).map(content);
  const containers = new Set(names.flatMap((name) => (name.includes('|') ? [name.split('|')[0]] : [])));
  return names.filter((name) => !containers.has(name));
}

function commandOf([first = '', second = '']: readonly string[], names: readonly string[]): string {
  const long = `${first}|${second}`.toLowerCase();
  return names.includes(long) ? long : first.toLowerCase();
}

function isLeftOut(name: string): boolean {
  return leftOut[name] !== undefined || leftOut[name.replace(/\|.*/, '|*')] !== undefined;
}

function succeeds({ line, replies }: Entry): boolean {
  return (
    line.verb === 'command' && replies.every((reply) => !reply.startsWith('-') && !reply.startsWith('('))
  );
}

function unanswered(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ line, replies }) =>
    replies.some((reply) => reply.includes('(nothing more came)')) ? [line.text] : [],
  );
}

test('a difference is seen, unless it is the allowed one', (t) => {
  const entry = (program: Program, ...replies: string[]): Entry[][] => [
    program.lines.map((line, i) => ({ line, replies: [replies[i] ?? ''] })),
  ];
  const [program] = programs('test', { 'of two lines': 'GET k\n[clock] PTTL k' }) as [Program];
  const want = entry(program, '$1\r\nv\r\n', ':99990\r\n');
  t.strictSame(differences([program], want, entry(program, '$1\r\nv\r\n', ':99989\r\n')), []);
  t.match(differences([program], want, entry(program, '$1\r\nw\r\n', ':99990\r\n')), [{ line: 'GET k' }]);
  t.match(differences([program], want, entry(program, '$1\r\nv\r\n', ':-2\r\n')), [
    { line: '[clock] PTTL k' },
  ]);
  t.match(differences([program], want, [[]]), [{ got: '(nothing)' }]);
  t.end();
});

test('what is allowed to differ leaves the rest', (t) => {
  t.equal(without(['connection id'], ':7\r\n'), without(['connection id'], ':8\r\n'));
  t.not(without(['connection id'], ':7\r\n'), without(['connection id'], '-ERR\r\n'));
  const client = (name: string, age: number): string =>
    `$30\r\nid=1 addr=a:1 name=${name} age=${age} db=0\n\r\n`;
  t.equal(without(['connection facts'], client('me', 1)), without(['connection facts'], client('me', 22)));
  t.not(without(['connection facts'], client('me', 1)), without(['connection facts'], client('you', 1)));
  t.equal(without(['any order'], '*2\r\n:1\r\n:2\r\n'), without(['any order'], '*2\r\n:2\r\n:1\r\n'));
  t.not(without(['any order'], '*2\r\n:1\r\n:2\r\n'), without(['any order'], '*2\r\n:1\r\n:3\r\n'));
  const pairs = (first: string, second: string): string => `*4\r\n+a\r\n:${first}\r\n+b\r\n:${second}\r\n`;
  t.not(without(['any order of pairs'], pairs('1', '2')), without(['any order of pairs'], pairs('2', '1')));
  t.end();
});

test('programs say what they mean, or are refused', (t) => {
  t.throws(() => programs('x', { y: '!nosuch 1' }), /no such verb/);
  t.throws(() => programs('x', { y: '[nosuch] GET k' }), /no such allowed difference/);
  const [{ lines }] = programs('x', { y: 'b: ~ [clock] 2 $v := GET @ab*3 "c d"' }) as [Program];
  t.match(lines[0], {
    client: 'b',
    waits: false,
    replies: 2,
    variable: 'v',
    allowed: ['clock'],
    words: ['GET', 'ababab', 'c d'],
  });
  t.end();
});
