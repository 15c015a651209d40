/** The namespaces that everything counts on outlive every kind of deletion. */

import { test } from 'tap';
import { services, startControl } from '../harness.ts';

const namespaces = '/api/v1/namespaces';

test('default, kube-public and kube-system may not be deleted', async (t) => {
  const control = await startControl(t);
  for (const name of ['default', 'kube-public', 'kube-system']) {
    const refused = await control.request('DELETE', `${namespaces}/${name}`);
    t.match(refused, {
      status: 403,
      body: {
        reason: 'Forbidden',
        message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
      },
    });
    t.equal((await control.get(`${namespaces}/${name}`)).body.status.phase, 'Active');
  }
  t.equal((await control.request('DELETE', `${namespaces}/kube-node-lease`)).status, 200);
});

test('namespaces are not deleted as a collection, and discovery does not offer it', async (t) => {
  const control = await startControl(t);
  t.match(await control.request('DELETE', namespaces), { status: 405, body: { reason: 'MethodNotAllowed' } });
  t.equal((await control.get(namespaces)).body.items.length, 4);
  const { resources } = (await control.get('/api/v1')).body as {
    resources: { name: string; verbs: string[] }[];
  };
  const offered = (name: string): boolean | undefined =>
    resources.find((resource) => resource.name === name)?.verbs.includes('deletecollection');
  t.equal(offered('namespaces'), false);
  t.equal(offered('services'), true);
  const { paths } = (await control.get('/openapi/v3/api/v1')).body;
  t.equal(paths['/api/v1/namespaces'].delete, undefined);
  t.ok(paths['/api/v1/namespaces/{namespace}/services'].delete);
  t.equal((await control.request('DELETE', services)).status, 200);
});
