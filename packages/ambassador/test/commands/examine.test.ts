import { test } from 'tap';
import type { Command } from '../../src/commands/command.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { buffers } from './asking.ts';

const table = new CommandTable();

function examined(...args: readonly string[]): Command {
  const command = table.named((args[0] as string).toUpperCase()) ?? table.unknown;
  return command.examine?.(buffers(args)) ?? command;
}

function routes(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const { route, mutates } = examined(...line.split(' '));
    return `${route}${mutates ? '!' : ''}: ${line}`;
  });
}

test('XREAD and XREADGROUP block only with BLOCK', (t) => {
  const lines = [
    'read: XREAD STREAMS s 0',
    'read: xread count 5 streams s 0',
    'read: XREAD COUNT BLOCK STREAMS s 0',
    'read: XREAD STREAMS BLOCK 0',
    'blocking: XREAD BLOCK 0 STREAMS s $',
    'blocking: XREAD COUNT 1 block 0 STREAMS s $',
    'blocking: XREAD NEW 1 STREAMS s $',
    'write!: XREADGROUP GROUP g c STREAMS s >',
    'write!: XREADGROUP GROUP g BLOCK NOACK COUNT 1 STREAMS s >',
    'blocking!: XREADGROUP GROUP g c BLOCK 5 STREAMS s >',
  ];
  t.same(routes(lines.map((line) => line.replace(/^\S+ /, ''))), lines);
  t.end();
});

test('SORT, GEORADIUS and BITFIELD change nothing without what makes them change something', (t) => {
  const lines = [
    'primary: SORT k',
    'primary: sort k by STORE get STORE limit 0 5 alpha desc',
    'write!: SORT k STORE d',
    'write!: SORT k ALPHA store d',
    'write!: SORT k NEW',
    'primary: GEORADIUS k 1 2 3 km WITHDIST COUNT 5 ANY ASC',
    'write!: GEORADIUS k 1 2 3 km STORE d',
    'write!: GEORADIUS k 1 2 3 km COUNT 5 STOREDIST d',
    'primary: GEORADIUSBYMEMBER k STORE 3 km',
    'write!: GEORADIUSBYMEMBER k m 3 km STORE d',
    'primary: BITFIELD k',
    'primary: BITFIELD k GET u8 0 get u4 8',
    'write!: BITFIELD k GET u8 0 SET u4 8 1',
    'write!: BITFIELD k GET u8 0 OVERFLOW SAT INCRBY u4 8 1',
    'read: BITFIELD_RO k GET u8 0',
  ];
  t.same(routes(lines.map((line) => line.replace(/^\S+ /, ''))), lines);
  t.match(examined('SORT', 'k').why, /refuse/);
  t.end();
});

test('a script that declares no-writes may run anywhere, every other at the primary', (t) => {
  const evaluated = (script: string): string => examined('EVAL', script, '0').route;
  t.equal(evaluated('return 1'), 'script');
  t.equal(evaluated('#!lua flags=no-writes\nreturn 1'), 'scriptRead');
  t.equal(evaluated('#!lua flags=allow-stale,no-writes,allow-oom\nreturn 1'), 'scriptRead');
  t.equal(evaluated('#!lua  flags=allow-stale flags=no-writes\nreturn 1'), 'scriptRead');
  t.equal(evaluated('#!lua\nreturn 1'), 'script');
  t.equal(evaluated('#!lua flags=no-writes-at-all\nreturn 1'), 'script');
  t.equal(evaluated('#!lua name=no-writes\nreturn 1'), 'script');
  t.equal(evaluated('#!js flags=no-writes\nreturn 1'), 'script');
  t.equal(evaluated('#!lua flags=no-writes'), 'script', 'no line end, no shebang');
  t.equal(evaluated('-- #!lua flags=no-writes\n'), 'script');
  t.equal(evaluated(`#!lua ${' '.repeat(9999)}flags=no-writes\n`), 'script', 'a first line nobody writes');
  t.equal(evaluated(''), 'script');
  t.equal(table.named('EVAL')?.examine?.(buffers(['EVAL']))?.route, 'script');
  t.notOk(examined('EVAL', '#!lua flags=no-writes\n', '0').mutates);
  t.end();
});

test('containers are their subcommands', (t) => {
  t.equal(examined('OBJECT', 'ENCODING', 'k').name, 'OBJECT|ENCODING');
  t.equal(examined('object', 'encoding', 'k').name, 'OBJECT|ENCODING');
  t.equal(examined('XGROUP', 'CREATE', 's', 'g', '$').route, 'write');
  t.equal(examined('SCRIPT', 'LOAD', 'x').name, 'SCRIPT|LOAD');
  t.equal(examined('SCRIPT', 'KILL').route, 'aside');
  t.equal(examined('CONFIG', 'GET', 'x').mutates, false);
  t.equal(examined('CONFIG', 'SET', 'x', 'y').mutates, true);
  t.equal(examined('COMMAND').name, 'COMMAND');
  t.equal(examined('COMMAND', 'DOCS').name, 'COMMAND|DOCS');
  t.equal(examined('CLIENT', 'SETNAME', 'x').name, 'CLIENT|SETNAME');
  t.equal(examined('CLIENT', 'NEW').route, 'local');
  t.end();
});

test('an unknown subcommand goes to the primary and is not repeated', (t) => {
  for (const args of [['OBJECT'], ['OBJECT', 'NEW', 'k'], ['CONFIG', ''], ['XINFO', 'x'.repeat(1e6)]]) {
    t.match(examined(...args), { name: args[0], route: 'primary', mutates: true });
  }
  t.end();
});

test('only rows that need arguments have something to examine', (t) => {
  const expected = [
    ...['ACL', 'BITFIELD', 'CLIENT', 'CLUSTER', 'COMMAND', 'COMMANDLOG', 'CONFIG', 'EVAL', 'FUNCTION'],
    ...[
      'GEORADIUS',
      'GEORADIUSBYMEMBER',
      'LATENCY',
      'MEMORY',
      'MODULE',
      'OBJECT',
      'PUBSUB',
      'SCRIPT',
      'SLOWLOG',
    ],
    ...['SORT', 'XGROUP', 'XINFO', 'XREAD', 'XREADGROUP'],
  ];
  const having = table.all().flatMap(({ name, examine }) => (examine === undefined ? [] : [name]));
  t.same(having.sort(), expected);
  t.end();
});
