/** The join of a Service port with its slices. */

import { test } from 'tap';
import { joinEndpoints, projectSlice } from '../../src/catalog/index.ts';
import type { SliceFields, SliceRecord } from '../../src/catalog/index.ts';
import { endpoint, slice } from '../objects.ts';

const HTTP = { name: 'http', protocol: 'TCP' } as const;

function records(...slices: SliceFields[]): SliceRecord[] {
  return slices.map((object) => projectSlice(object)).filter((record) => record !== undefined);
}

function keys(slices: readonly SliceRecord[], port: Parameters<typeof joinEndpoints>[1] = HTTP): string[] {
  return joinEndpoints(slices, port, 'IPv4', 'n1').map((found) => found.key);
}

test('ports join by name and protocol, whatever their number', (t) => {
  const slices = records(
    slice('a/b-1', ['10.0.0.2'], { ports: [{ name: 'http', port: 8080 }] }),
    slice('a/b-2', ['10.0.0.1'], {
      ports: [
        { name: 'http', port: 9090 },
        { name: 'admin', port: 1 },
      ],
    }),
    slice('a/b-3', ['10.0.0.3'], { ports: [{ name: 'http', port: 53, protocol: 'UDP' }] }),
  );
  t.same(keys(slices), ['10.0.0.1:9090', '10.0.0.2:8080'], 'sorted');
  t.same(keys(slices, { name: 'http', protocol: 'UDP' }), ['10.0.0.3:53']);
  t.same(keys(slices, { name: '', protocol: 'TCP' }), []);
  t.end();
});

test('families do not mix', (t) => {
  const slices = records(slice('a/b-1', ['10.0.0.1']), slice('a/b-2', ['fd00::1'], { addressType: 'IPv6' }));
  t.same(keys(slices), ['10.0.0.1:8080']);
  t.same(
    joinEndpoints(slices, HTTP, 'IPv6', 'n1').map((found) => found.key),
    ['[fd00::1]:8080'],
  );
  t.end();
});

test('an endpoint in two slices is one: local first, then the more usable, in any order', (t) => {
  const twice = records(
    slice('a/b-1', [endpoint('10.0.0.1', 'ready', 'n2'), endpoint('10.0.0.2', 'terminating')]),
    slice('a/b-2', [endpoint('10.0.0.1', 'unready', 'n1'), endpoint('10.0.0.2', 'ready')]),
  );
  for (const slices of [twice, twice.toReversed()]) {
    const [first, second, ...rest] = joinEndpoints(slices, HTTP, 'IPv4', 'n1');
    t.match(first, { key: '10.0.0.1:8080', local: true, ready: false });
    t.match(second, { key: '10.0.0.2:8080', ready: true });
    t.same(rest, []);
  }
  t.end();
});

test('nothing is local to a proxy without a node name', (t) => {
  const slices = records(slice('a/b-1', [endpoint('10.0.0.1'), endpoint('10.0.0.2', 'ready', 'n1')]));
  t.same(
    joinEndpoints(slices, HTTP, 'IPv4', '').map((found) => found.local),
    [false, false],
  );
  t.end();
});
