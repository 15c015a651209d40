import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { test } from 'tap';
import { needs, tempDir, toolPath } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';
import { encode } from './connection.ts';

const tools = needs('redis-server', 'redis-cli');

/** What it prints when `input` is typed. */
async function cli(port: number, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(toolPath('redis-cli'), ['-p', String(port), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + errors;
}

test('redis-cli prints through it what it prints at the server', tools, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const plain = (await startServers(t, 0)).primary;
  const { port } = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const folder = tempDir(t);
  const script = join(folder, 'script.lua');
  writeFileSync(script, "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])");
  const pipe = Array.from({ length: 2_000 }, (_, i) => encode(['SET', `pipe:${i}`, `value-${i}`])).join('');

  const alike: readonly [
    name: string,
    args: string[],
    input?: string,
    normal?: (printed: string) => string,
  ][] = [
    ['one command', ['SET', 'k', 'v']],
    ['an error', ['INCR', 'k']],
    ['a typed session', [], 'SET a 1\nMULTI\nINCR a\nGET a\nEXEC\nSELECT 1\nGET a\n'],
    ['a session in RESP3', ['-3'], 'HSET h f v\nHGETALL h\nSADD s 1 2\nSMEMBERS s\nGET none\n'],
    ['another database', ['-n', '3', 'SET', 'k', 'three']],
    ['the same command again', ['-r', '3', 'INCR', 'n']],
    ['the last argument typed', ['-x', 'SET', 'typed'], 'from stdin'],
    ['a script', ['--eval', script, 'key', ',', 'value']],
    [
      'every key',
      ['--scan', '--pattern', '[akh]'],
      '',
      (printed) => printed.split('\n').toSorted().join('\n'),
    ],
    ['a pipe of commands', ['--pipe'], pipe],
    ['what came of it', ['GET', 'pipe:1999']],
    ['the biggest keys', ['--bigkeys'], '', summary],
    ['as CSV', ['--csv', 'LRANGE', 'none', '0', '-1']],
    ['as JSON', ['--json', 'HGETALL', 'h']],
    ['no raw output', ['--no-raw', 'GET', 'k']],
    ['not understood', ['NOSUCH', 'x']],
  ];
  for (const [name, args, input, normal = (printed: string) => printed] of alike) {
    const [want, got] = await Promise.all([cli(plain.port, args, input), cli(port, args, input)]);
    t.equal(normal(got), normal(want), name);
    // The next one is another session, which is promised nothing of this one's writes before the replica has them.
    await cli(primary.port, [], 'PING\nWAIT 1 5000\n');
  }

  const rdb = join(folder, 'dump.rdb');
  await cli(port, ['--rdb', rdb]);
  t.equal(readFileSync(rdb).subarray(0, 5).toString(), 'REDIS', 'a dump, as a replica would ask for it');
});

/** How many keys of each type, and which is the biggest, without how it got there. */
function summary(printed: string): string {
  return printed
    .split('\n')
    .filter((line) => /^(Biggest|\d+ \w+ with|Sampled)/.test(line))
    .filter((line) => !line.startsWith('Biggest string'))
    .join('\n');
}
