import { test } from 'tap';
import { explainCommand } from '../../src/observe/explain.ts';
import type { ExplainState } from '../../src/observe/explain.ts';
import { Topology } from '../../src/topology/topology.ts';

function state(eligible: boolean, changed: Partial<ExplainState> = {}): ExplainState {
  const topology = new Topology(() => 1000);
  topology.setServers('p', ['a']);
  if (eligible) {
    topology.primaryAnswered(topology.beginRound(), 0, { runId: 'p', role: 'master', replId: 'h', offset: 1, syncing: false }); // prettier-ignore
    topology.replicaAnswered('a', { runId: 'a', role: 'slave', replId: 'h', offset: 1, syncing: false }, 0);
  }
  return { readPolicy: 'preferReplica', consistency: 'session', topology, ...changed };
}

test('each command has a route and the rule that says so', async (t) => {
  const told = (line: string, s = state(true)): string => {
    const { route, reason } = explainCommand(line, s);
    return `${route}: ${reason}`;
  };
  t.match(told('get "a key"'), /^replica: it is a read, and a takes reads; once its session/);
  t.match(
    told('GET k', state(true, { consistency: 'eventual' })),
    /^replica: it is a read, and a takes reads$/,
  );
  t.match(told('GET k', state(true, { readPolicy: 'primary' })), /^primary: .*readPolicy is primary/);
  t.match(told('GET k', state(false)), /^primary: .*no replica takes reads/);
  t.match(told('GET k', state(false, { readPolicy: 'replica' })), /^none: .*no replica takes reads/);
  t.match(told('GETEX k'), /^primary: it is a write/);
  t.match(told('PING'), /^primary: it changes nothing/);
  t.match(told('client setname x'), /^primary: /);
  t.match(told('CLIENT ID'), /^splice: /);
  t.match(told('MULTI'), /^splice: .*joined to the primary for good/);
  t.match(told(''), /^splice: /);
  t.strictSame(explainCommand('GET k', state(false)).excluded, { a: 'not yet asked' });
  t.throws(() => explainCommand('GET "k', state(true)), { code: 'RESP_MALFORMED' });
});
