import { test } from 'tap';
import type { Command } from '../../src/commands/command.ts';
import { overriddenNames } from '../../src/commands/overrides.ts';
import { CommandTable } from '../../src/commands/table.ts';

const table = new CommandTable();

/** As the scanner keeps names: in a longer array, upper case. */
function find(name: string): Command | undefined {
  const bytes = new Uint8Array(32).fill(0x41);
  bytes.set(Buffer.from(name));
  return table.find(bytes, name.length);
}

test('commands are found by the bytes of their names', (t) => {
  for (const name of [
    'GET',
    'SET',
    'XREAD',
    'CLIENT',
    'GEORADIUSBYMEMBER_RO',
    'VADD',
    'DELIFEQ',
    'WAITAOF',
  ]) {
    t.equal(find(name)?.name, name);
    t.equal(find(name), table.named(name));
  }
  for (const name of ['GE', 'GETT', 'get', 'NOPE', '', 'CLIENT|ID', 'SORT (no STORE)', '(unknown)']) {
    t.equal(find(name), undefined, `'${name}'`);
  }
  t.equal(table.find(new Uint8Array(32), -1), undefined, 'longer than any name');
  t.end();
});

test('every command has an index of its own, and says why and whence', (t) => {
  const all = table.all();
  t.equal(all.length, table.size);
  t.same(
    all.map(({ index }) => index),
    [...all.keys()],
  );
  t.same(
    all.filter(({ why, origin }) => why === '' || origin === ''),
    [],
  );
  t.same(
    new CommandTable().all().map(({ name }) => name),
    all.map(({ name }) => name),
    'the same in every process',
  );
  t.end();
});

test('routes by flags', (t) => {
  const routes: Record<string, string> = {
    read: 'GET MGET STRLEN EXISTS TTL HGETALL ZRANGE GEOSEARCH LCS SORT_RO BITFIELD_RO PFCOUNT KEYS RANDOMKEY SRANDMEMBER SUBSTR HTTL VSIM',
    write:
      'SET DEL EXPIRE GETEX GETDEL COPY SUNIONSTORE FLUSHALL SWAPDB PERSIST XACK MIGRATE FUNCTION|LOAD MSETEX HGETDEL',
    blocking: 'BLPOP BRPOP BLMOVE BLMPOP BZPOPMIN BZMPOP',
  };
  for (const [route, names] of Object.entries(routes)) {
    for (const name of names.split(' ')) {
      t.equal(table.named(name)?.route, route, name);
      t.equal(table.named(name)?.mutates, route !== 'read', name);
    }
  }
  t.end();
});

test('routes by override', (t) => {
  const routes: Record<string, string> = {
    local: 'HELLO AUTH SELECT QUIT RESET CLIENT CLIENT|SETNAME CLIENT|NO-TOUCH CLIENT|CAPA READONLY ASKING',
    multi: 'MULTI',
    exec: 'EXEC',
    discard: 'DISCARD',
    watch: 'WATCH',
    unwatch: 'UNWATCH',
    subscribe: 'SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE',
    monitor: 'MONITOR',
    splice: 'SYNC PSYNC REPLCONF SCRIPT|DEBUG',
    wait: 'WAIT WAITAOF',
    sticky: 'DEBUG',
    blocking: 'SHUTDOWN XREAD XREADGROUP',
    aside: 'SCRIPT|KILL FUNCTION|KILL',
    script: 'EVAL EVALSHA FCALL SCRIPT|LOAD SCRIPT|FLUSH SCRIPT|EXISTS',
    scriptRead: 'EVAL_RO EVALSHA_RO FCALL_RO',
    cursor: 'SCAN HSCAN SSCAN ZSCAN CLUSTERSCAN',
    primary:
      'TOUCH OBJECT|FREQ MEMORY|USAGE DBSIZE DUMP XPENDING XINFO|STREAM PUBLISH SPUBLISH INFO TIME CONFIG|GET CONFIG|SET VLINKS',
    read: 'PING ECHO',
  };
  for (const [route, names] of Object.entries(routes)) {
    for (const name of names.split(' ')) t.equal(table.named(name)?.route, route, name);
  }
  const mutating =
    'EXEC EVAL EVALSHA FCALL PUBLISH SPUBLISH DEBUG SHUTDOWN XREADGROUP CONFIG|SET SCRIPT|FLUSH'.split(' ');
  for (const name of mutating) t.ok(table.named(name)?.mutates, `${name} is not repeated`);
  const harmless = 'TOUCH DBSIZE SCAN INFO CONFIG|GET XREAD PING SCRIPT|LOAD EVAL_RO WATCH OBJECT|HELP'.split(
    ' ',
  );
  for (const name of harmless) t.notOk(table.named(name)?.mutates, `${name} may be repeated`);
  t.end();
});

test('no command of these servers is left in doubt, and overrides are of commands there are', (t) => {
  const doubtful = table.all().filter(({ why }) => why.startsWith('in doubt'));
  const containers = doubtful.filter(({ examine }) => examine !== undefined);
  t.same(
    doubtful.filter((command) => !containers.includes(command)).map(({ name }) => name),
    ['(unknown)'],
  );
  const gone = overriddenNames().filter((name) => table.named(name.replace(/\|\*$/, '')) === undefined);
  t.same(gone, []);
  t.end();
});

test('what the unknown row says is safe whatever the command turns out to be', (t) => {
  t.match(table.unknown, { route: 'write', mutates: true, keys: undefined, examine: undefined });
  t.equal(table.all().at(-1), table.unknown);
  t.end();
});

test('a command overruled is found changed, by name and as a subcommand', (t) => {
  const own = new CommandTable();
  const strict = { route: 'write', mutates: true, why: 'because', overridden: false } as const;
  own.overrule(own.named('GET') as Command, strict, 'asked');
  const encoding = own.overrule(own.named('OBJECT|ENCODING') as Command, strict, 'asked');
  t.match(own.find(Buffer.from('GET'), 3), {
    route: 'write',
    mutates: true,
    why: 'because',
    origin: 'asked',
  });
  t.equal(own.named('GET')?.index, table.named('GET')?.index);
  t.equal(own.named('OBJECT')?.examine?.([Buffer.from('OBJECT'), Buffer.from('encoding')]), encoding);
  t.equal(own.all()[encoding.index], encoding);
  own.overrule(own.named('OBJECT') as Command, strict, 'asked');
  t.ok(own.named('OBJECT')?.examine, 'a container still knows its subcommands');
  t.equal(table.named('GET')?.route, 'read', 'another table is untouched');
  t.end();
});
