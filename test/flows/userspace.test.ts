/** The flow table against the userspace proxy: every row that names it, with real connections. */

import { test } from 'tap';
import type { Test } from 'tap';
import { loadFlows } from './load.ts';
import { executeSequence as model } from './model.ts';
import { checkReach } from './reach.ts';
import type { FlowCase, FlowRow, Sequence } from './types.ts';
import { Backends, executeSequence, UserspaceProxy } from './userspace.ts';

/** Connections after which an endpoint that may be reached has been, as good as certainly. */
const enough = 200;
/** Connections in which one that may not be reached would show. */
const more = 8;

const mine = ({ modes }: FlowRow | Sequence): boolean => modes.includes('userspace');
const cases = (await loadFlows()).filter(({ flows, sequences }) => flows.some(mine) || sequences.some(mine));

test('userspace', async (t) => {
  const backends = new Backends(t);
  for (const flowCase of cases) {
    await t.test(flowCase.name, async (t) => {
      await backends.add(flowCase.objects);
      for (const row of flowCase.flows.filter(mine)) {
        await withProxy(flowCase, backends, (proxy) => checkRow(t, proxy, row));
      }
      for (const sequence of flowCase.sequences.filter(mine)) {
        await withProxy(flowCase, backends, (proxy) => checkSequence(t, proxy, flowCase, sequence));
      }
    });
  }
  t.same(backends.strangers, [], 'nothing was dialled but endpoints of the table');
});

test('the table has rows for userspace', (t) => {
  t.ok(cases.flatMap(({ flows }) => flows.filter(mine)).length >= 10);
  t.ok(cases.flatMap(({ sequences }) => sequences.filter(mine)).length >= 4);
  t.end();
});

async function withProxy(
  flowCase: FlowCase,
  backends: Backends,
  run: (proxy: UserspaceProxy) => Promise<void>,
): Promise<void> {
  const proxy = new UserspaceProxy(flowCase, backends);
  try {
    await run(proxy);
  } finally {
    proxy.close();
  }
}

async function checkRow(t: Test, proxy: UserspaceProxy, row: FlowRow): Promise<void> {
  if (row.expect.kind !== 'forward') {
    t.equal(await proxy.connect(row), undefined, row.name);
    return;
  }
  const { endpoints } = row.expect;
  const reached = new Set<string | undefined>();
  for (let i = 0; i < enough && !endpoints.every((one) => reached.has(one)); i++) {
    reached.add(await proxy.connect(row));
  }
  for (let i = 0; i < more; i++) reached.add(await proxy.connect(row));
  t.same(reached, new Set(endpoints), row.name);
}

async function checkSequence(
  t: Test,
  proxy: UserspaceProxy,
  flowCase: FlowCase,
  sequence: Sequence,
): Promise<void> {
  const possible = new Map(model(flowCase, sequence, 1).map(({ step, possible }) => [step, possible]));
  let last: string | undefined;
  await executeSequence(proxy, sequence, (index, endpoints) => {
    const step = sequence.steps[index];
    if (step?.kind !== 'connect') return;
    const problem = checkReach(step.reaches, endpoints, possible.get(index) ?? [], last);
    t.equal(problem, undefined, `${sequence.name}, step ${index}`);
    last = endpoints.at(-1);
  });
}
