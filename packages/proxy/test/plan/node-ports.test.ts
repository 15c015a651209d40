/** Which addresses of a node answer NodePorts. */

import { test } from 'tap';
import { nodePortAddressesOf } from '../../src/plan/index.ts';

const ADDRESSES = ['127.0.0.1', '192.168.0.2', '192.168.1.2', '2001:db8::1', '2001:db8:1::2'];

test('without ranges, the first address of each family that others can reach', (t) => {
  t.same(nodePortAddressesOf(ADDRESSES, []), ['192.168.0.2', '2001:db8::1']);
  t.same(nodePortAddressesOf(['127.0.0.1', '::1'], []), []);
  t.end();
});

test('with ranges, every address inside, of both families', (t) => {
  const ranges = ['192.168.0.0/24', '192.168.1.0/24', '2001:db8::/64', '2001:db8:1::2/128'];
  t.same(nodePortAddressesOf(ADDRESSES, ranges), ADDRESSES.slice(1));
  t.same(nodePortAddressesOf(ADDRESSES, ['192.168.1.0/24']), ['192.168.1.2'], 'one family alone');
  t.same(nodePortAddressesOf(ADDRESSES, ['127.0.0.0/8']), ['127.0.0.1'], 'loopback when asked for');
  t.end();
});
