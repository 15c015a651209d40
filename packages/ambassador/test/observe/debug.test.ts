import { Metrics } from '@outrigger/core/metrics';
import { test } from 'tap';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { debugPages } from '../../src/observe/debug.ts';
import type { EngineState, SessionFacts } from '../../src/observe/facts.ts';
import { exposeEngine } from '../../src/observe/gauges.ts';
import { Held } from '../../src/observe/names.ts';
import { SlowLog } from '../../src/observe/slow-log.ts';
import { sampleNowMs, testRealm } from './realm.ts';

function session(id: number, held?: Held): SessionFacts {
  return {
    state: {
      id,
      peer: `10.0.0.9:${id}`,
      local: '127.0.0.1:6379',
      sinceMs: 0,
      identity: { user: 'app', password: 'secret', protocol: 3, database: 2 },
      userName: 'app',
      authenticated: true,
      name: 'web#eventual',
      consistency: 'eventual',
      readPolicy: undefined,
      libName: 'ioredis',
      libVer: '6.0.0',
      reply: 'on',
      noEvict: false,
      noTouch: false,
      pins: new Set(['multi']),
      serverId: 0,
      counts: { sub: 0, psub: 0, ssub: 0, multi: 0, watch: 0 },
      lastMs: 900,
      lastCommand: 'GET',
      commands: 12,
    },
    held,
    outstanding: 2,
    bufferedBytes: 300,
    ownServer: '10.0.0.1:6379',
    reads: [{ shard: 's0', replica: '10.0.0.2:6379', fence: 4 }],
  };
}

function state(sessions: readonly SessionFacts[]): EngineState {
  return {
    sessionCount: () => sessions.length,
    sessions: () => sessions,
    connections: () => [{ server: '10.0.0.1:6379', lines: 2, leases: 1, idle: 3, outstanding: 7 }],
    // The second is the same servers again, as behind a prefix route.
    realms: () => [testRealm(), testRealm({ name: 'cache:' })],
    bufferedBytes: () => 4096,
    limits: () => defaultLimits,
    nowMs: () => sampleNowMs,
  };
}

function pages(sessions: readonly SessionFacts[]) {
  const slowLog = new SlowLog({ thresholdMs: 10, entries: 4, keys: false }, () => {});
  return debugPages({ ...state(sessions), slowLog, settings: () => ({ readPolicy: 'preferReplica' }) });
}

const none = new URLSearchParams();

test('the topology is shown as it is believed, with the connections to it', async (t) => {
  const page = await pages([session(1)]).ambassador(none);
  t.match(page, {
    readPolicy: 'preferReplica',
    sessions: 1,
    bufferedBytes: 4096,
    realms: [
      { name: 'default', clustered: false, shards: [{ name: 's0' }] },
      { name: 'cache:', clustered: false, shards: [{ name: 's0' }] },
    ],
    connections: [{ server: '10.0.0.1:6379', lines: 2, leases: 1, idle: 3, outstanding: 7 }],
  });
});

test('a session is shown with what it waits for, and without its password', async (t) => {
  const page = await pages([session(1), session(2, Held.proof)]).sessions(new URLSearchParams({ id: '2' }));
  t.match(page, {
    total: 2,
    more: 0,
    sessions: [
      {
        id: 2,
        name: 'web#eventual',
        peer: '10.0.0.9:2',
        user: 'app',
        ageMs: 1000,
        idleMs: 100,
        database: 2,
        protocol: 3,
        library: 'ioredis 6.0.0',
        consistency: 'eventual',
        readPolicy: null,
        pins: ['multi'],
        ownServer: '10.0.0.1:6379',
        held: 'proof',
        outstanding: 2,
        bufferedBytes: 300,
        reads: [{ shard: 's0', replica: '10.0.0.2:6379', fence: 4 }],
      },
    ],
  });
  t.notMatch(JSON.stringify(page), /secret/);
});

test('a thousand sessions are shown, and how many more there are', async (t) => {
  const many = Array.from({ length: 1_003 }, (_, i) => session(i + 1));
  const page = (await pages(many).sessions(none)) as { total: number; more: number; sessions: unknown[] };
  t.same([page.total, page.more, page.sessions.length], [1_003, 3, 1_000]);
});

test('gauges are read from the state, each label set once', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  exposeEngine(metrics, state([session(1), session(2, Held.proof), session(3, Held.proof)]));
  const page = await metrics.page();
  for (const line of [
    'sessions 3',
    'held_sessions{reason="proof"} 2',
    'held_sessions{reason="election"} 0',
    'buffered_bytes 4096',
    'upstream_connections{server="10.0.0.1:6379",kind="line"} 2',
    'upstream_connections{server="10.0.0.1:6379",kind="lease"} 1',
    'queued_commands{server="10.0.0.1:6379"} 7',
    'primary_known{realm="default",shard="s0"} 1',
    'server_up{server="10.0.0.1:6379",role="primary"} 1',
    'server_up{server="10.0.0.2:6379",role="replica"} 1',
    'server_up{server="10.0.0.3:6379",role="replica"} 0',
    'replica_lag_seconds{server="10.0.0.2:6379"} 1',
    'replica_lag_bytes{server="10.0.0.2:6379"} 10',
  ]) {
    t.equal(page.split(`outrigger_ambassador_${line}\n`).length, 2, line);
  }
  t.notMatch(page, /lag_seconds\{server="10\.0\.0\.3/, 'what is not known is not shown');
});
