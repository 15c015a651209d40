import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { encodeCommand } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Command } from '../../src/commands/command.ts';
import { firstKeySlot, keysOf, needsDecoding, noKey } from '../../src/commands/keys.ts';
import { slotOf } from '../../src/commands/slot.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { askAll, buffers, errorOf, texts } from './asking.ts';

const table = new CommandTable();

/** Every word that means something to some specification, and some that mean nothing. */
const words = '0 1 2 3 -1 x streams STORE storedist KEYS by GET limit auth AUTH2 "" nan COUNT'.split(' ');

function commandOf(args: readonly string[]): Command {
  const command = table.named(args[0] as string) ?? table.unknown;
  return command.examine?.(buffers(args)) ?? command;
}

function keysIn(args: readonly string[]): string[] {
  return keysOf(commandOf(args), buffers(args)).map((index) => args[index] as string);
}

/** `""` is an empty argument. */
function split(line: string): string[] {
  return line.split(' ').map((word) => (word === '""' ? '' : word));
}

test('keys of every shape of specification', (t) => {
  const cases: [line: string, keys: string][] = [
    ['GET a', 'a'],
    ['MGET a b c', 'a b c'],
    ['MSET a 1 b 2', 'a b'],
    ['RENAME a b', 'a b'],
    ['BLPOP a b 0', 'a b'],
    ['EVAL script 2 a b c', 'a b'],
    ['EVAL script 0 a', ''],
    ['EVAL script 9 a', ''],
    ['EVAL script nan a', ''],
    ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', 'd a b'],
    ['ZUNIONSTORE d 9 a b', ''],
    ['LMPOP 2 a b LEFT', 'a b'],
    ['XREAD COUNT 1 STREAMS a b 0 0', 'a b'],
    ['XREAD COUNT 1', ''],
    ['XREADGROUP GROUP streams streams streams a >', 'a'],
    ['XREADGROUP GROUP g c STREAMS a >', 'a'],
    ['XGROUP CREATE s g $', 's'],
    ['OBJECT ENCODING a', 'a'],
    ['MEMORY USAGE a', 'a'],
    ['GEORADIUS a 1 2 3 km', 'a'],
    ['GEORADIUS a 1 2 3 km store d', 'a d'],
    ['GEORADIUSBYMEMBER a STORE 3 km STOREDIST d', 'a d'],
    ['SORT a', 'a'],
    ['SORT a BY STORE GET STORE STORE d', 'a d'],
    ['SORT a LIMIT STORE x STORE d STORE e', 'a e'],
    ['SORT_RO a', 'a'],
    ['MIGRATE host 1 a 0 9', 'a'],
    ['MIGRATE host 1 "" 0 9 AUTH KEYS KEYS a b', 'a b'],
    ['MIGRATE host 1 "" 0 9 AUTH2 KEYS KEYS KEYS a', 'a'],
    ['MIGRATE host 1 a 0 9 KEYS b', ''],
    ['SPUBLISH channel m', 'channel'],
    ['SSUBSCRIBE a b', 'a b'],
    ['PING', ''],
    ['NOPE a', ''],
    ['GET', ''],
  ];
  for (const [line, keys] of cases) t.equal(keysIn(split(line)).join(' '), keys, line);
  t.end();
});

test('the slot of the first key is found in the frame', (t) => {
  const slot = (...args: string[]): number => firstKeySlot(commandOf(args), encodeCommand(args));
  t.equal(slot('GET', 'foo'), 12182);
  t.equal(slot('SET', 'foo', 'x'.repeat(1000)), 12182);
  t.equal(slot('MGET', 'foo', 'bar'), 12182);
  t.equal(slot('OBJECT', 'ENCODING', 'foo'), 12182);
  t.equal(slot('BITOP', 'AND', 'foo', 'bar'), 12182);
  t.equal(slot('GET', ''), slotOf(Buffer.alloc(0)));
  t.equal(slot('GET', '{foo}\r\n$3'), 12182, 'keys of any bytes');
  t.equal(slot('PING'), noKey);
  t.equal(slot('GET'), noKey, 'an argument short: Redis will say so');
  t.equal(slot('EVAL', 'script', '1', 'foo'), needsDecoding);
  t.equal(slot('MIGRATE', 'host', '1', '', '0', '9', 'KEYS', 'foo'), needsDecoding);
  t.equal(slot('XREAD', 'STREAMS', 'foo', '0'), needsDecoding);
  t.equal(slot('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'foo', '>'), needsDecoding);
  t.equal(firstKeySlot(commandOf(['GET']), Buffer.from('GET foo\r\n')), needsDecoding, 'a typed line');
  t.equal(firstKeySlot(commandOf(['GET']), Buffer.from('*')), noKey, 'never a frame, never an endless loop');
  t.end();
});

test('what the frame tells is what the arguments tell', (t) => {
  const random = seededRandom(2);
  for (const { name, keys } of withKeys()) {
    for (const args of randomCalls(name, random, 20)) {
      const [first] = keysOf(commandOf(args), buffers(args));
      const slot = firstKeySlot(commandOf(args), encodeCommand(args));
      const told =
        slot === needsDecoding || first === undefined || slot === slotOf(buffers(args)[first] as Buffer);
      if (!told) t.fail(`${args.join(' ')}: slot ${slot}, key ${first} (${JSON.stringify(keys)})`);
    }
  }
  t.end();
});

for (const program of ['redis-server', 'redis-8', 'valkey-9'] as const) {
  test(`keys are where COMMAND GETKEYS of ${program} finds them`, needs(program), async (t) => {
    const server = await startRedis(t, { program });
    const random = seededRandom(1);
    const calls = withKeys()
      .flatMap(({ name }) => randomCalls(name, random, 100))
      .filter((call) => !differsByServer(call));
    const replies = await askAll(
      server,
      calls.map((call) => ['COMMAND', 'GETKEYS', ...call]),
    );
    const compared = new Set<string>();
    calls.forEach((call, i) => {
      const error = errorOf(replies[i]);
      // Of unknown commands and wrong numbers of arguments the server tells no keys, and executes nothing.
      if (/Invalid command|Invalid number of arguments|no key arguments/.test(error)) return;
      const told = error === '' ? texts(replies[i]) : [];
      if (error === '') compared.add(commandOf(call).name);
      if (told.join() !== keysIn(call).join())
        t.fail(`${call.join(' ')}: ${told.join()}, not ${keysIn(call).join()}`);
    });
    t.ok(compared.size > 160, `${compared.size} commands have been compared`);
    for (const name of [
      'SORT',
      'MIGRATE',
      'EVAL',
      'ZUNIONSTORE',
      'XREAD',
      'XGROUP|CREATE',
      'BLMPOP',
      'MSETNX',
    ]) {
      t.ok(
        compared.has(name) || compared.has(`${name} (no BLOCK)`) || compared.has(`${name} (no STORE)`),
        name,
      );
    }
  });
}

/** Channels of sharded pub/sub are no keys to COMMAND GETKEYS. */
function withKeys(): Command[] {
  return table
    .all()
    .filter(({ name, keys }) => keys?.places.some(({ channel }) => !channel) === true && !name.includes('('));
}

/** Syntax errors, or of several STOREs the last one counts: servers differ in which ones they name as keys. */
function differsByServer(call: readonly string[]): boolean {
  if (!(call[0] as string).startsWith('GEORADIUS')) return false;
  return call.some((word, i) => /^store/i.test(word) && i < 6) || stores(call) > 1;
}

function stores(call: readonly string[]): number {
  return call.filter((word) => /^store/i.test(word)).length;
}

/** Calls at random of two to nine arguments, a third of them words no command knows. */
function randomCalls(name: string, random: { next(): number }, count: number): string[][] {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return Array.from({ length: count }, () => {
    const rest = Array.from({ length: 2 + below(8) }, (_, i) =>
      below(3) === 0 ? `key${i}` : (words[below(words.length)] as string),
    );
    return [...name.split('|'), ...split(rest.join(' '))];
  });
}
