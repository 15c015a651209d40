/** Many writers of one object: who named no revision meant whatever there is, and loses nothing by others' haste. */

import { test } from 'tap';
import { mergePatch, startControl } from '../harness.ts';
import { Turns } from '../../src/registry/turns.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const writers = Array.from({ length: 60 }, (_, i) => i);

test('writers that name no revision all get through', async (t) => {
  const control = await startControl(t);
  await control.post(configMaps, { metadata: { name: 'c' } });
  const put = (i: number) =>
    control.request('PUT', `${configMaps}/c`, { metadata: { name: 'c' }, data: { last: `${i}` } });
  const statuses = new Set((await Promise.all(writers.map(put))).map(({ status }) => status));
  t.same([...statuses], [200]);
  const patch = (i: number) =>
    control.request('PATCH', `${configMaps}/c`, { data: { [`k${i}`]: 'x' } }, mergePatch);
  await Promise.all(writers.map(patch));
  t.equal(Object.keys((await control.get(`${configMaps}/c`)).body.data).length, writers.length + 1);
});

test('of writers that name the same revision one gets through', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(configMaps, { metadata: { name: 'c' } });
  const { resourceVersion } = body.metadata;
  const put = (i: number) =>
    control.request('PUT', `${configMaps}/c`, {
      metadata: { name: 'c', resourceVersion },
      data: { last: `${i}` },
    });
  const statuses = (await Promise.all(writers.map(put))).map(({ status }) => status);
  t.equal(statuses.filter((status) => status === 200).length, 1);
  t.equal(statuses.filter((status) => status === 409).length, writers.length - 1);
});

test('turns: one at a time once somebody waits, and a failure passes the turn on', async (t) => {
  const turns = new Turns();
  let running = 0;
  let most = 0;
  const work = async (fail: boolean): Promise<void> => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (fail) throw new Error('refused');
  };
  const results = await Promise.allSettled(
    [1, 2, 3, 4].map((i) => turns.run('a', true, () => work(i === 2))),
  );
  t.equal(most, 1);
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  await Promise.all([turns.run('a', false, () => work(false)), turns.run('a', false, () => work(false))]);
  t.equal(most, 2, 'nobody waits where nobody lost');
});
