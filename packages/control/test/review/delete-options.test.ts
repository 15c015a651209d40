/** A deletion is not taken back: options in a wrong form are refused, never taken for none. */

import { test } from 'tap';
import { startControl } from '../harness.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

const undecodable = [
  { dryRun: 'All' },
  { dryRun: [true] },
  { preconditions: 'uid' },
  { preconditions: { uid: 5 } },
  { preconditions: { resourceVersion: 7 } },
  { gracePeriodSeconds: '0' },
  { propagationPolicy: ['Orphan'] },
  { kind: 'ConfigMap' },
];

test('options of a wrong form delete nothing', async (t) => {
  const control = await startControl(t);
  await control.post(configMaps, { metadata: { name: 'kept' } });
  for (const options of undecodable) {
    const { status, body } = await control.request('DELETE', `${configMaps}/kept`, options);
    t.match({ status, reason: body.reason }, { status: 400, reason: 'BadRequest' }, JSON.stringify(options));
    t.match((await control.request('DELETE', configMaps, options)).status, 400);
  }
  const unknown = await control.request('DELETE', `${configMaps}/kept`, { propagationPolicy: 'Sideways' });
  t.match(unknown, { status: 422, body: { details: { causes: [{ field: 'propagationPolicy' }] } } });
  t.equal((await control.get(`${configMaps}/kept`)).status, 200);
});

test('what clients send is taken', async (t) => {
  const control = await startControl(t);
  for (const options of [
    { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions: null },
    { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', orphanDependents: false, dryRun: null },
    { gracePeriodSeconds: 0, preconditions: { uid: '' } },
    {},
  ]) {
    await control.post(configMaps, { metadata: { name: 'gone' } });
    const { status } = await control.request('DELETE', `${configMaps}/gone`, options);
    t.equal(status, 200, JSON.stringify(options));
  }
});
