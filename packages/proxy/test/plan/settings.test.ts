/** Which TrafficPolicy applies to a port, and what applies without one. */

import { test } from 'tap';
import type { PolicyRecord } from '../../src/catalog/index.ts';
import { DEFAULT_SETTINGS, policyFor, settingsOf } from '../../src/plan/index.ts';

function policy(name: string, port = '', createdAtMs = 0): PolicyRecord {
  return { namespace: 'a', name, targets: [{ service: 'a/b', port }], createdAtMs, settings: {} };
}

test('the most specific policy wins, then the oldest, then the first by name', (t) => {
  const winner = (...policies: PolicyRecord[]): (string | undefined)[] => [
    policyFor(policies, 'a/b', 'http')?.name,
    policyFor(policies.toReversed(), 'a/b', 'http')?.name,
  ];
  t.same(winner(policy('whole', '', 1), policy('port', 'http', 2)), ['port', 'port']);
  t.same(winner(policy('young', '', 2), policy('old', '', 1)), ['old', 'old']);
  t.same(winner(policy('z'), policy('a')), ['a', 'a']);
  t.same(winner(policy('other', 'admin')), [undefined, undefined]);
  t.equal(policyFor([policy('port', 'http')], 'a/c', 'http'), undefined, 'another Service');
  t.equal(policyFor([policy('port', '')], 'a/b', '')?.name, 'port', 'an unnamed port is part of the Service');
  t.end();
});

test('a policy replaces what it says; the rest are the defaults', (t) => {
  const record: PolicyRecord = { ...policy('p'), settings: { balancing: 'roundRobin', maxConnections: 1 } };
  t.same(settingsOf(DEFAULT_SETTINGS, record), {
    ...DEFAULT_SETTINGS,
    balancing: 'roundRobin',
    maxConnections: 1,
  });
  t.equal(settingsOf(DEFAULT_SETTINGS, undefined), DEFAULT_SETTINGS);
  t.end();
});

test('every setting has a default, from the schema of TrafficPolicy', (t) => {
  t.same(DEFAULT_SETTINGS, {
    balancing: 'leastConnections',
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 3_600_000,
    maxConnections: 16_384,
    maxConnectionsPerEndpoint: 0,
    consecutiveFailures: 5,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectionPercent: 50,
  });
  t.end();
});
