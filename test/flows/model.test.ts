/** The flow table against the model: every row of every file that does not exclude it. */

import { test } from 'tap';
import type { Test } from 'tap';
import { loadFlows, readCases } from './load.ts';
import { executeFlow, executeSequence, healthOf } from './model.ts';
import { publicationOf } from './publication.ts';
import { checkReach } from './reach.ts';
import type { Sequence } from './types.ts';

const cases = await loadFlows();

for (const flowCase of cases) {
  test(flowCase.name, (t) => {
    for (const row of flowCase.flows) {
      if (row.modes.includes('model')) t.same(executeFlow(flowCase, row), row.expect, row.name);
    }
    if (flowCase.health !== undefined) t.same(healthOf(flowCase), flowCase.health, 'health-check node ports');
    for (const sequence of flowCase.sequences) {
      if (sequence.modes.includes('model')) checkSequence(t, flowCase, sequence);
    }
    t.end();
  });
}

function checkSequence(t: Test, flowCase: (typeof cases)[number], sequence: Sequence): void {
  for (const seed of [1, 2, 3]) {
    let last: string | undefined;
    for (const { step, endpoints, possible } of executeSequence(flowCase, sequence, seed)) {
      const claim = sequence.steps[step];
      if (claim?.kind !== 'connect') continue;
      const problem = checkReach(claim.reaches, endpoints, possible, last);
      t.equal(problem, undefined, `${sequence.name}, step ${step}, seed ${seed}`);
      last = endpoints.at(-1);
    }
  }
}

test('the table covers every executor', (t) => {
  const rows = cases.flatMap((flowCase) => flowCase.flows);
  t.comment(`${cases.length} cases, ${rows.length} rows`);
  for (const mode of ['model', 'userspace', 'nftables', 'iptables'] as const) {
    t.ok(
      rows.some((row) => row.modes.includes(mode)),
      mode,
    );
  }
  t.end();
});

test('every row for userspace names a Service port, and publishing it means the same endpoints', (t) => {
  for (const flowCase of cases) {
    for (const row of flowCase.flows.filter(({ modes }) => modes.includes('userspace'))) {
      const publication = publicationOf(flowCase.objects, row);
      if (publication === undefined) {
        t.fail(`${flowCase.name}, ${row.name}: there is nothing to publish`);
        continue;
      }
      const published = executeFlow(flowCase, { ...row, to: { kind: 'publish', ...publication } });
      const want = row.expect.kind === 'forward' ? row.expect.endpoints : 'refused';
      const got = published.kind === 'forward' ? published.endpoints : 'refused';
      t.same(got, want, `${flowCase.name}, ${row.name}`);
    }
  }
  t.end();
});

test('a mistake in a flow file is found, not skipped', (t) => {
  const row = { name: 'r', from: 'pod', to: '172.30.0.1:80', verdict: 'drop' };
  const wrong: [unknown, RegExp][] = [
    [{ flow: [] }, /unknown field flow/],
    [{ flows: [{ ...row, form: 'x' }] }, /unknown field form/],
    [{ flows: [{ ...row, verdict: 'dorp' }] }, /want drop or reject or pass/],
    [{ flows: [{ ...row, verdict: undefined }] }, /want endpoints or verdict/],
    [{ flows: [{ ...row, to: 'web:80' }] }, /want IP:PORT/],
    [{ flows: [{ ...row, from: 'nobody' }] }, /want pod, node, external/],
    [{ flows: [row, row] }, /a second flow "r"/],
    [{ flows: [{ ...row, modes: ['ipvs'] }] }, /want model or/],
    [{ flows: [row], cases: [{ name: 'c', only: ['x'] }] }, /there is no flow "x"/],
    [{ flows: [row], cases: [{ name: 'c', flows: [{ name: 'r', verdict: 'drop' }] }] }, /expects anyway/],
    [{ cases: [{ name: 'c', delete: ['Service a/b'] }] }, /there is no Service a\/b/],
    [{ objects: [{ kind: 'Service' }] }, /metadata: want a mapping/],
    [{ objects: [{ apiVersion: 'v2', kind: 'Service', metadata: { name: 'a' } }] }, /no kind of the API/],
    [
      { objects: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { prots: [] } }] },
      /spec.prots: unknown field/,
    ],
    [{ sequences: [{ name: 's', steps: [{ wait: 'long' }] }] }, /want a duration/],
  ];
  for (const [document, message] of wrong) t.throws(() => readCases('f', document), message);
  t.end();
});

test('claims about sequences can fail', (t) => {
  t.match(checkReach('one', ['a', 'b'], ['a', 'b'], undefined), /several/);
  t.match(checkReach('same', ['a'], ['a', 'b'], 'b'), /instead of b/);
  t.match(checkReach('other', ['a'], ['a'], 'a'), /again/);
  t.match(checkReach('all', ['a'], ['a', 'b'], undefined), /only a/);
  t.match(checkReach('one', [undefined], [], undefined), /nothing/);
  t.end();
});
