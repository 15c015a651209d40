import { test } from 'tap';
import { RequestEvent, RequestScanner } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { classifyContainer, CommandTable, commandNames } from '../../src/commands/commands.ts';
import { command } from '../session/setting.ts';

function classOf(bytes: string): string {
  const scanner = new RequestScanner();
  const event = scanner.next(Buffer.from(bytes, 'latin1'), 0);
  return event === RequestEvent.head ? new CommandTable().classify(scanner) : 'no head';
}

test('plain commands have a class, whatever their case; everything else is spliced', async (t) => {
  t.equal(classOf(command('GET', 'k')), 'read');
  t.equal(classOf(command('gEt', 'k')), 'read');
  t.equal(classOf(command('set', 'k', 'v')), 'write');
  t.equal(classOf(command('PING')), 'other');
  t.equal(classOf(command('CLIENT', 'SETNAME', 'x')), 'container');
  const spliced =
    'MULTI EXEC WATCH SUBSCRIBE PSUBSCRIBE SSUBSCRIBE MONITOR SELECT HELLO AUTH RESET QUIT BLPOP BRPOP BLMOVE BZPOPMIN XREAD XREADGROUP EVAL EVALSHA EVAL_RO FCALL SCRIPT WAIT SORT FLUSHALL CONFIG DEBUG SYNC PSYNC REPLCONF READONLY ASKING SHUTDOWN NOPE GE GETT';
  for (const name of spliced.split(' ')) t.equal(classOf(command(name, 'x')), 'splice', name);
  t.equal(classOf(command('')), 'splice', 'an empty name');
  t.equal(classOf(command('G'.repeat(40))), 'splice', 'a name longer than any');
  t.equal(classOf('GET k\r\n'), 'splice', 'a typed line');
});

test('of CLIENT, only what names the connection leaves it routable', async (t) => {
  t.equal(classifyContainer(Buffer.from(command('CLIENT', 'SETINFO', 'lib-name', 'x'))), 'naming');
  t.equal(classifyContainer(Buffer.from(command('client', 'setname', 'x'))), 'naming');
  for (const sub of ['REPLY', 'TRACKING', 'ID', 'KILL', 'PAUSE', 'GETNAME', 'NO-EVICT']) {
    t.equal(classifyContainer(Buffer.from(command('CLIENT', sub, 'x'))), 'splice', sub);
  }
  t.equal(classifyContainer(Buffer.from(command('CLIENT'))), 'splice');
});

test('a real Redis agrees with every entry of the table', needs('redis-server', 'redis-cli'), async (t) => {
  const redis = await startRedis(t);
  const flags = new Map<string, Set<string>>();
  const names = commandNames();
  const all = Object.values(names).flat();
  const script = `
    local all = {}
    for _, name in ipairs(ARGV) do
      local info = redis.call('COMMAND', 'INFO', name)[1]
      local words = { info and 'known' or 'unknown' }
      if info then for _, flag in ipairs(info[3]) do table.insert(words, flag.ok or flag) end end
      table.insert(all, name .. ' ' .. table.concat(words, ' '))
    end
    return all`;
  for (const line of (await redis.cli('EVAL', script, '0', ...all)).split('\n')) {
    const [name = '', ...words] = line.trim().split(' ');
    flags.set(name, new Set(words));
  }
  const has = (name: string, flag: string): boolean => flags.get(name)?.has(flag) ?? false;
  for (const name of all) {
    t.ok(has(name, 'known'), `${name} exists`);
    for (const flag of ['blocking', 'no_multi', 'noscript', 'admin']) {
      t.notOk(has(name, flag), `${name} is not ${flag}`);
    }
  }
  for (const name of names.read) t.ok(has(name, 'readonly'), `${name} only reads`);
  for (const name of names.write) t.ok(has(name, 'write'), `${name} writes`);
  for (const name of names.other) t.notOk(has(name, 'write'), `${name} writes nothing`);
});
