import { test } from 'tap';
import { routeOf } from '../../src/handlers/route.ts';

const route = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?');
  return routeOf({ method, path, query: new URLSearchParams(query) });
};
const nothing = { namespace: '', name: '', subresource: '' };

test('paths of objects', (t) => {
  t.match(route('GET', '/api/v1/services'), {
    ...nothing,
    type: 'resource',
    verb: 'list',
    group: '',
    resource: 'services',
  });
  t.match(route('GET', '/api/v1/namespaces/a/services/b'), {
    verb: 'get',
    namespace: 'a',
    resource: 'services',
    name: 'b',
  });
  t.match(route('GET', '/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/b/status'), {
    group: 'discovery.k8s.io',
    version: 'v1',
    subresource: 'status',
  });
  t.match(route('GET', '/api/v1/namespaces'), { verb: 'list', resource: 'namespaces', name: '' });
  t.match(route('PUT', '/api/v1/namespaces/a/finalize'), {
    resource: 'namespaces',
    name: 'a',
    subresource: 'finalize',
  });
  t.match(route('GET', '/api/v1/namespaces/a/pods'), { resource: 'pods', namespace: 'a' });
  t.end();
});

test('methods are verbs, by whether there is a name', (t) => {
  const verbs = (url: string) =>
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map((m) => route(m, url)?.verb);
  t.same(verbs('/api/v1/nodes'), ['list', 'list', 'create', 'update', 'patch', 'deletecollection']);
  t.same(verbs('/api/v1/nodes/n'), ['get', 'get', 'create', 'update', 'patch', 'delete']);
  t.equal(route('GET', '/api/v1/nodes?watch')?.verb, 'watch');
  for (const off of ['false', '0']) t.equal(route('GET', `/api/v1/nodes?watch=${off}`)?.verb, 'list');
  t.end();
});

test('other paths', (t) => {
  t.same(route('GET', '/api/v1'), { type: 'path', verb: 'get', path: '/api/v1' });
  t.same(route('GET', '//healthz/'), { type: 'path', verb: 'get', path: '/healthz' });
  t.equal(route('GET', '/apis/g/v1')?.type, 'path');
  t.end();
});

test('what could point elsewhere is no route', (t) => {
  for (const path of [
    '/api/v1/nodes/%2e%2e',
    '/api/v1/nodes/a%2fb',
    '/api/v1/nodes/%',
    '/api/v1/nodes/a/status/more',
  ]) {
    t.equal(route('GET', path), undefined, path);
  }
  t.end();
});
