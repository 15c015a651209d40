import { test } from 'tap';
import { decodeReply } from '@outrigger/core/resp';
import { parsePlaces, writePlaces } from '../../src/commands/key-spec.ts';
import { mergeRows } from '../../src/commands/merge.ts';
import { parseRow, rowsOfReply, writeRow } from '../../src/commands/row.ts';
import type { Row } from '../../src/commands/row.ts';

type Item = string | number | null | readonly Item[] | { readonly fields: readonly Item[] };

/** A reply as a server writes it: strings in bulks, flags as in RESP2. */
function reply(...items: readonly Item[]): ReturnType<typeof decodeReply> {
  return decodeReply(Buffer.from(encode(items)));
}

function encode(item: Item): string {
  if (item === null) return '*-1\r\n';
  if (typeof item === 'number') return `:${item}\r\n`;
  if (typeof item === 'string')
    return item.startsWith('+') ? `${item}\r\n` : `$${item.length}\r\n${item}\r\n`;
  if ('fields' in item) return `%${item.fields.length / 2}\r\n${item.fields.map(encode).join('')}`;
  return `*${item.length}\r\n${item.map(encode).join('')}`;
}

const index = (at: number): Item => ['type', 'index', 'spec', ['index', at]];
const range = (last: number, step: number, limit: number): Item => [
  'type',
  'range',
  'spec',
  ['lastkey', last, 'keystep', step, 'limit', limit],
];
const spec = (flags: readonly string[], begin: Item, find: Item): Item => [
  ...['flags', flags, 'begin_search', begin, 'find_keys', find],
];

test('an entry of Redis 7, with subcommands', (t) => {
  const rows = rowsOfReply(
    reply([
      'object',
      -2,
      [],
      0,
      0,
      0,
      ['+@slow'],
      [],
      [],
      [
        [
          'object|freq',
          3,
          ['+readonly'],
          2,
          2,
          1,
          [],
          ['nondeterministic_output', 'request_policy:x'],
          [spec(['+RO'], index(2), range(0, 1, 0))],
          [],
        ],
      ],
    ]),
    'redis 7',
  );
  t.same(rows.map(writeRow), ['OBJECT -2 - -', 'OBJECT|FREQ 3 readonly,nondeterministic_output 2:0/1/0']);
  t.same([...new Set(rows.map(({ origin }) => origin))], ['redis 7']);
  t.end();
});

test('every kind of key specification, in RESP2 and as maps of RESP3', (t) => {
  const keyword = ['type', 'keyword', 'spec', ['keyword', 'Keys', 'startfrom', -2]];
  const count = ['type', 'keynum', 'spec', ['keynumidx', 0, 'firstkey', 1, 'keystep', 1]];
  const unknown = ['type', 'unknown', 'spec', []];
  const specs = [
    spec(['not_key'], index(1), range(-1, 1, 2)),
    spec([], keyword, count),
    spec(['incomplete'], unknown, unknown),
  ];
  const [row] = rowsOfReply(reply(['x', 3, ['movablekeys'], 0, 0, 0, [], [], specs, []]), 'o');
  t.equal(writePlaces((row as Row).places), '!1:-1/1/2;KEYS@-2:#0/1/1;?');
  const maps = {
    fields: [
      'flags',
      [],
      'begin_search',
      { fields: ['type', 'index', 'spec', { fields: ['index', 7] }] },
      'find_keys',
      { fields: ['type', 'range', 'spec', { fields: ['lastkey', 0, 'keystep', 1, 'limit', 0] }] },
    ],
  };
  const [mapped] = rowsOfReply(reply(['x', 3, [], 0, 0, 0, [], [], [maps], []]), 'o');
  t.equal(writePlaces((mapped as Row).places), '7:0/1/0');
  t.end();
});

test('entries without specifications: servers before Redis 7, and modules', (t) => {
  const rows = rowsOfReply(
    reply(
      ['get', 2, ['+readonly'], 1, 1, 1, []],
      ['mset', -3, ['+write'], 1, -1, 2, []],
      ['eval', -3, ['+noscript', '+movablekeys'], 0, 0, 0, []],
      ['ft.search', -3, ['+readonly', '+movablekeys'], 0, 0, 0, [], [], [], []],
      ['ping', -1, [], 0, 0, 0, []],
    ),
    'redis 6',
  );
  t.same(
    rows.map(({ name, places }) => `${name} ${writePlaces(places)}`),
    ['GET 1:0/1/0', 'MSET 1:-1/2/0', 'EVAL ?', 'FT.SEARCH ?', 'PING -'],
  );
  t.end();
});

test('what is no entry is left out', (t) => {
  t.same(rowsOfReply(reply(null, ['get', 2, ['+readonly'], 1, 1, 1, []], 7, []), 'o').length, 1);
  t.same(rowsOfReply(decodeReply(Buffer.from('-NOPERM no\r\n')), 'o'), []);
  t.same(rowsOfReply(decodeReply(Buffer.from('*1\r\n*1\r\n$3\r\nget\r\n')), 'o').map(writeRow), [
    'GET 0 - -',
  ]);
  t.end();
});

test('a row is what it was after writing and parsing', (t) => {
  for (const line of [
    'GET 2 fast,readonly 1:0/1/0',
    'PING -1 - -',
    'SORT -2 write 1:0/1/0;?;?',
    'X|Y 2 - STREAMS@4:-1/1/2',
  ]) {
    t.equal(writeRow(parseRow(line, 'o')), line);
  }
  t.throws(() => parsePlaces('1'), /no key specification: 1/);
  t.throws(() => parsePlaces('1:0/1'), /no key specification/);
  t.end();
});

test('where servers differ a command is read only if all say so, and all origins are named', (t) => {
  const rows = [
    parseRow('A 2 readonly,fast 1:0/1/0', 'one'),
    parseRow('B 2 readonly -', 'one'),
    parseRow('A 2 write,readonly 2:0/1/0', 'two'),
    parseRow('B 3 readonly,blocking -', 'two'),
    parseRow('C 1 - -', 'two'),
    parseRow('A 2 readonly 3:0/1/0', 'three'),
  ];
  rows[2] = { ...(rows[2] as Row), flags: ['write'] };
  t.same(
    mergeRows(rows).map((row) => `${writeRow(row)} ${row.origin}`),
    ['A 2 fast,write 3:0/1/0 one, two, three', 'B 3 readonly,blocking - one, two', 'C 1 - - two'],
  );
  t.end();
});
