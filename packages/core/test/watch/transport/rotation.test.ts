import { seededRandom } from '@outrigger/core/clock';
import { Rotation } from '../../../src/watch/transport/rotation.ts';
import { resourcePath, withQuery } from '../../../src/watch/transport/path.ts';
import { test } from 'tap';

test('one URL stays, and its failure is time to back off', (t) => {
  const rotation = new Rotation(1, seededRandom(1));
  t.equal(rotation.failed(0), false);
  t.equal(rotation.current, 0);
  t.end();
});

test('the first is preferred; a failure moves on; all failed means back off and go round', (t) => {
  const rotation = new Rotation(3, seededRandom(1));
  t.equal(rotation.current, 0);
  const visited = [0];
  t.equal(rotation.failed(0), true);
  visited.push(rotation.current);
  t.equal(rotation.failed(rotation.current), true);
  visited.push(rotation.current);
  t.same(visited.toSorted(), [0, 1, 2]);
  t.equal(rotation.failed(rotation.current), false, 'none is left untried');
  t.end();
});

test('many requests failing at one URL move on once', (t) => {
  const rotation = new Rotation(2, seededRandom(1));
  t.equal(rotation.failed(0), true);
  t.equal(rotation.failed(0), true);
  t.equal(rotation.current, 1);
  t.end();
});

test('after a success the others are worth trying again', (t) => {
  const rotation = new Rotation(2, seededRandom(1));
  rotation.failed(0);
  rotation.succeeded(1);
  t.equal(rotation.failed(1), true);
  t.equal(rotation.current, 0);
  t.end();
});

test('the clients of a dead server spread over the others', (t) => {
  const counts = [0, 0, 0];
  for (let seed = 0; seed < 300; seed++) {
    const rotation = new Rotation(3, seededRandom(seed));
    rotation.failed(0);
    counts[rotation.current]! += 1;
  }
  t.equal(counts[0], 0);
  t.ok(counts[1]! > 75 && counts[2]! > 75, `spread is ${counts.join(', ')}`);
  t.end();
});

test('paths and queries', (t) => {
  const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices', namespaced: true };
  const nodes = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
  t.equal(resourcePath(slices), '/apis/discovery.k8s.io/v1/endpointslices');
  t.equal(
    resourcePath(slices, { namespace: 'a', name: 'b/c' }),
    '/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/b%2Fc',
  );
  t.equal(
    resourcePath(nodes, { namespace: 'a', name: 'n', subresource: 'status' }),
    '/api/v1/nodes/n/status',
  );
  t.equal(withQuery('/x', { a: undefined }), '/x');
  t.equal(withQuery('/x', { a: 'k=v in (b)', n: 1, w: true }), '/x?a=k%3Dv%20in%20(b)&n=1&w=true');
  t.end();
});
