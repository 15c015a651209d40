/** `why`: every endpoint with its state and the reason it is used or not. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Balancer, explainService } from '../../src/balance/index.ts';
import type { PortReport, Question, ServiceReport } from '../../src/balance/index.ts';
import { Catalog, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { SliceFields } from '../../src/catalog/index.ts';
import { planAll, poolOf } from '../../src/plan/index.ts';
import type { PlanContext, PortPlan } from '../../src/plan/index.ts';
import { endpoint, service, slice } from '../objects.ts';
import { CONTEXT } from '../plan/context.ts';

type Asked = Partial<Question> & { readonly context?: Partial<PlanContext> };

function explain(
  spec: Parameters<typeof service>[1],
  slices: SliceFields[],
  asked: Asked = {},
): ServiceReport {
  const catalog = new Catalog();
  catalog.apply([
    { kind: 'Service', key: 'a/b', record: projectService(service('a/b', spec)) },
    ...slices.map((one, index) => ({
      kind: 'EndpointSlice' as const,
      key: `slice-${index}`,
      record: projectSlice(one),
    })),
  ]);
  const view = catalog.view('a/b');
  const plan = planAll(catalog, { ...CONTEXT, ...asked.context }).get('a/b');
  if (view === undefined || plan === undefined) throw new Error('a/b was not planned');
  const question: Question = {
    traffic: 'internal',
    source: 'node',
    nowMs: 0,
    balancerOf: () => undefined,
    ...asked,
  };
  return explainService(view, plan, question);
}

function onlyPort(report: ServiceReport): PortReport {
  const [port] = report.ports;
  if (port === undefined) throw new Error('no port was planned');
  return port;
}

/** `10.0.0.1:8080 used`, and the reasons behind it. */
function lines(port: PortReport): string[] {
  return port.endpoints.map(({ key, status, reasons }) => [key, status, ...reasons].join(' | '));
}

test('the plain case needs no reasons', (t) => {
  const port = onlyPort(explain({}, [slice('a/b-1', ['10.0.0.1'])]));
  t.equal(port.verdict, 'forward');
  t.same(port.why, ['balancing leastConnections']);
  t.same(lines(port), ['10.0.0.1:8080 | used']);
  t.end();
});

test('conditions: why each endpoint is left out', (t) => {
  const slices = [
    slice('a/b-1', [
      endpoint('10.0.0.1'),
      endpoint('10.0.0.2', 'unready'),
      endpoint('10.0.0.3', 'terminating'),
      endpoint('10.0.0.4', 'gone'),
    ]),
  ];
  t.same(lines(onlyPort(explain({}, slices))), [
    '10.0.0.1:8080 | used',
    '10.0.0.2:8080 | excluded | not ready',
    '10.0.0.3:8080 | excluded | terminating: used only when no endpoint is ready',
    '10.0.0.4:8080 | excluded | terminating and no longer serving',
  ]);
  t.end();
});

test('the terminating fallback is named', (t) => {
  const port = onlyPort(explain({}, [slice('a/b-1', [endpoint('10.0.0.3', 'terminating')])]));
  t.match(port.why[0], /no endpoint is ready: those still serving while terminating are used/);
  t.same(lines(port), ['10.0.0.3:8080 | used | terminating, but no endpoint is ready']);
  t.end();
});

test('nobody usable: reject and drop are told apart', (t) => {
  t.match(onlyPort(explain({}, [])), { verdict: 'reject', why: [/no endpoint is usable anywhere/] });
  const elsewhere = [slice('a/b-1', [endpoint('10.0.0.1', 'ready', 'n2'), endpoint('10.0.0.2')])];
  const port = onlyPort(explain({ internalTrafficPolicy: 'Local' }, elsewhere));
  t.match(port, { verdict: 'drop', why: [/none on this node/] });
  t.same(lines(port), [
    '10.0.0.1:8080 | excluded | not on this node but on n2',
    '10.0.0.2:8080 | excluded | not on this node but on an unknown one',
  ]);
  t.end();
});

test('policy Local and external traffic', (t) => {
  const spec = { externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30080 }] };
  const slices = [slice('a/b-1', [endpoint('10.0.0.1', 'ready', 'n1'), endpoint('10.0.0.2', 'ready', 'n2')])];
  const from = (source: 'pod' | 'external'): PortReport =>
    onlyPort(explain(spec, slices, { traffic: 'external', source, context: { podCIDRs: ['10.0.0.0/8'] } }));
  t.match(from('external').why, ['policy Local: only endpoints on this node']);
  t.match(lines(from('external'))[1], /excluded \| not on this node but on n2/);
  t.same(lines(from('pod')), ['10.0.0.1:8080 | used', '10.0.0.2:8080 | used']);
  t.end();
});

test('topology: whom the others are meant for', (t) => {
  const hinted = (address: string, zone: string, node: string): ReturnType<typeof endpoint> => ({
    addresses: [address],
    hints: { forZones: [{ name: zone }], ...(node === '' ? {} : { forNodes: [{ name: node }] }) },
  });
  const zones = [slice('a/b-1', [hinted('10.0.0.1', 'z1', ''), hinted('10.0.0.2', 'z2', '')])];
  const byZone = onlyPort(explain({}, zones, { context: { zone: 'z1' } }));
  t.match(byZone.why[0], /hints: only endpoints meant for this zone/);
  t.same(lines(byZone), ['10.0.0.1:8080 | used', '10.0.0.2:8080 | excluded | hinted for zones z2']);
  const nodes = [slice('a/b-1', [hinted('10.0.0.1', 'z1', 'n1'), hinted('10.0.0.2', 'z1', 'n2')])];
  const byNode = onlyPort(explain({}, nodes));
  t.match(byNode.why[0], /meant for this node/);
  t.same(lines(byNode)[1], '10.0.0.2:8080 | excluded | hinted for nodes n2');
  t.end();
});

test('what the balancer knows: ejected, full, draining, busy', (t) => {
  let balancer: Balancer | undefined;
  const balancerOf = (plan: PortPlan): Balancer => {
    const pool = poolOf(plan);
    const settings = { ...pool.settings, consecutiveFailures: 1, maxConnectionsPerEndpoint: 1 };
    const gone = {
      ...pool.endpoints[0],
      key: '10.0.0.9:8080',
      address: '10.0.0.9',
    } as (typeof pool.endpoints)[0];
    balancer = new Balancer({
      random: seededRandom(1),
      pool: { ...pool, endpoints: [gone], settings },
      nowMs: 0,
    });
    balancer.pick(0, '192.0.2.1');
    balancer.update({ ...pool, settings: { ...settings, balancing: 'roundRobin' } }, 0);
    for (let pick = 0; pick < 3; pick++) balancer.pick(0, '192.0.2.1');
    const [first] = balancer.states();
    if (first !== undefined) balancer.dialFailed(first, 0, '192.0.2.1');
    return balancer;
  };
  const context = { defaults: { ...CONTEXT.defaults, maxConnectionsPerEndpoint: 1 } };
  const slices = [slice('a/b-1', ['10.0.0.1', '10.0.0.2', '10.0.0.3'])];
  const port = onlyPort(explain({}, slices, { balancerOf, nowMs: 1_000, context }));
  const states = new Map(balancer?.states().map((state) => [state.key, state]));
  const [first, second, third, gone] = port.endpoints;
  t.match(first, { status: 'ejected', failures: 1 });
  t.match(first?.reasons, [/^ejected after 1 failed dials in a row, for another \d+ s$/, /at its limit/]);
  t.equal(first?.ejectedForMs, (states.get('10.0.0.1:8080')?.ejectedUntilMs ?? 0) - 1_000);
  for (const full of [second, third]) {
    t.match(full, { status: 'full', active: 1, reasons: ['at its limit of 1 connections'] });
  }
  t.match(gone, {
    key: '10.0.0.9:8080',
    status: 'draining',
    reasons: ['removed: 1 open connections may finish'],
    active: 1,
    picked: 1,
  });
  t.end();
});

test('affinity and the policy in force are said', (t) => {
  const port = onlyPort(explain({ sessionAffinity: 'ClientIP' }, [slice('a/b-1', ['10.0.0.1'])]));
  t.match(port.why.at(-1), /a client keeps its endpoint for 10800 s/);
  t.end();
});

test('what the catalog left out is said', (t) => {
  const report = explain({ externalIPs: ['nowhere'] }, [slice('a/b-1', ['fd00::1'])]);
  t.match(report.problems, [/externalIP "nowhere" ignored/, /^b-1: endpoint fd00::1 ignored/]);
  t.match(explain({ type: 'ExternalName' }, []), { problems: [/ExternalName/], ports: [] });
  t.end();
});
