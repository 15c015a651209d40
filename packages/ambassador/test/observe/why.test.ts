import { test } from 'tap';
import { CommandTable } from '../../src/commands/table.ts';
import { whyCommand } from '../../src/observe/why.ts';
import type { WhyState } from '../../src/observe/why.ts';
import type { Realm } from '../../src/topology/realm.ts';
import { sampleNowMs, testRealm } from './realm.ts';

const table = new CommandTable();

function state(realm: Realm = testRealm(), changed: Partial<WhyState> = {}): WhyState {
  return {
    commandOf: (args) => {
      const name = (args[0]?.toString() ?? '').toUpperCase();
      const known = table.find(Buffer.from(name), name.length) ?? table.unknown;
      return known.examine?.(args) ?? known;
    },
    realmOf: () => realm,
    policyOf: () => ({ readPolicy: 'preferReplica', consistency: 'session' }),
    refusal: () => undefined,
    nowMs: () => sampleNowMs,
    ...changed,
  };
}

function goes(line: string, s = state()): string {
  const { to, server, why } = whyCommand(line, s).goes;
  return `${to} ${server}: ${why}`;
}

test('each command goes somewhere, and a rule says so', (t) => {
  t.match(goes('get "a key"'), /^replica 10\.0\.0\.2:6379: it is a read, .* once its session/);
  t.match(goes('GETEX k'), /^primary 10\.0\.0\.1:6379: it may change data/);
  t.match(goes('SCAN 0'), /^primary .*same server/);
  t.match(goes('BLPOP k 0'), /^primary .*hold its connection/);
  t.match(goes('client setname x'), /^ambassador null/);
  t.match(goes('NOSUCH k'), /^primary .*may change data/);
  t.match(goes(''), /^primary /);
  t.throws(() => whyCommand('GET "k', state()), { code: 'RESP_MALFORMED' });
  t.end();
});

test('policy and consistency decide about reads', (t) => {
  const policy = (readPolicy: 'primary' | 'replica', realm = testRealm()) =>
    state(realm, { policyOf: () => ({ readPolicy, consistency: 'eventual' }) });
  t.match(goes('GET k', policy('primary')), /^primary .*readPolicy is primary/);
  t.match(goes('GET k', policy('replica')), /takes reads$/, 'nothing more has to be proven');
  const none = testRealm({ eligible: false });
  t.match(goes('GET k', state(none)), /^primary .*no replica takes reads/);
  t.match(goes('GET k', policy('replica', none)), /^nobody null: .*never falls back/);
  const moving = testRealm();
  Object.assign(moving.shards[0] ?? {}, { moving: true });
  t.match(goes('GET k', policy('replica', moving)), /^primary .*slots of its shard move/);
  t.end();
});

test('while there is no primary, writes go nowhere and reads still do', (t) => {
  const realm = testRealm({ primary: false });
  t.match(goes('SET k v', state(realm)), /^nobody null: .*no primary at the moment: nobody says it is/);
  t.match(goes('GET k', state(realm)), /^replica /);
  t.end();
});

test('what a command is, where that is known from, and what it keeps', (t) => {
  const of = (line: string) => whyCommand(line, state());
  t.match(of('GETEX k'), { command: 'GETEX', class: 'write', route: 'write', mutates: true, pins: null });
  t.match(of('GETEX k').origin, /\d/, 'a server and its version, or an override');
  t.match(of('SORT k'), { command: 'SORT (no STORE)', route: 'primary', mutates: false });
  t.match(of('SORT k STORE d'), { command: 'SORT', route: 'write' });
  t.match(of('MULTI').pins, /until EXEC/);
  t.match(of('BLPOP k 0').pins, /until it is answered/);
  t.match(of('SUBSCRIBE c').pins, /last subscription/);
  t.match(of('MONITOR').pins, /until RESET/);
  t.match(of('nosuch k'), { command: 'NOSUCH', reason: /in doubt/ });
  t.match(of('CLIENT SETNAME x').command, 'CLIENT|SETNAME');
  t.end();
});

test('replicas are listed with the reasons against them', (t) => {
  const { replicas } = whyCommand('GET k', state());
  t.match(replicas, [
    { server: '10.0.0.2:6379', takesReads: true, why: '', lagMs: 1000 },
    { server: '10.0.0.3:6379', takesReads: false, why: 'not yet asked', lagMs: null },
  ]);
  t.end();
});

test('in a cluster each key has a slot and a shard', (t) => {
  const cluster = state(testRealm({ clustered: true, shards: 2 }));
  const { keys, shard, goes: to } = whyCommand('MSET foo 1 bar 2', cluster);
  t.same(keys, [
    { key: 'foo', slot: 12182, shard: 's0' },
    { key: 'bar', slot: 5061, shard: 's1' },
  ]);
  t.equal(shard, 's0');
  t.equal(to.server, '10.0.0.1:6379');
  const partly = state(testRealm({ clustered: true, slots: 10_000 }));
  t.match(goes('GET foo', partly), /^nobody null: no server of default has its slot/);
  t.end();
});

test('a prefix leads to another realm, a rule to a refusal', (t) => {
  const [main, cache] = [testRealm(), testRealm({ name: 'cache:' })];
  const routed = state(main, {
    realmOf: (key) =>
      Buffer.from(key ?? [])
        .toString()
        .startsWith('cache:')
        ? cache
        : main,
    refusal: (command, user, typed) =>
      command.mutates ? `NOPERM ${user} ${typed ?? command.name}` : undefined,
  });
  t.equal(whyCommand('GET cache:1', routed).realm, 'cache:');
  t.equal(whyCommand('GET 1', routed).realm, 'default');
  t.equal(whyCommand('GET 1', routed).refused, null);
  t.equal(whyCommand('set 1 2', routed, 'guest').refused, 'NOPERM guest SET');
  t.end();
});
