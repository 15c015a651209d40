/** Canonical addresses: equal addresses are equal strings, and what is none is told apart. */

import { test } from 'tap';
import {
  addressMatcher,
  canonicalCidr,
  canonicalIp,
  endpointKey,
  familyOf,
} from '../../src/catalog/index.ts';

test('addresses are read leniently and written strictly', (t) => {
  const same: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['010.000.00.001', '10.0.0.1'],
    [' 10.0.0.1 ', '10.0.0.1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
  ];
  for (const [text, want] of same) t.equal(canonicalIp(text)?.address, want, text);
  t.equal(canonicalIp('::ffff:10.0.0.1')?.family, 'IPv4');
  t.equal(canonicalIp('fd00::1')?.family, 'IPv6');
  t.end();
});

test('what is no address is undefined', (t) => {
  const wrong = [
    '',
    'None',
    'web',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1.2',
    '10.0.0.-1',
    '0x0a.0.0.1',
    '1e1.0.0.1',
  ];
  for (const text of [...wrong, 'fe80::1%eth0', ':::', '[::1]']) t.equal(canonicalIp(text), undefined, text);
  t.end();
});

test('CIDRs are trimmed and checked', (t) => {
  t.equal(canonicalCidr(' 203.0.113.0/25')?.address, '203.0.113.0/25');
  t.equal(canonicalCidr('2001:DB8::/032')?.address, '2001:db8::/32');
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '::/129', '10.0.0.0/8/8', '10.0.0.0/-1']) {
    t.equal(canonicalCidr(text), undefined, text);
  }
  t.end();
});

test('a matcher knows ranges and single addresses of both families', (t) => {
  const matches = addressMatcher(['10.0.0.0/8', '192.0.2.7', '2001:db8::/64']);
  for (const inside of ['10.255.0.1', '192.0.2.7', '2001:db8::9']) t.ok(matches(inside), inside);
  for (const outside of ['11.0.0.1', '192.0.2.8', '2001:db8:1::9']) t.notOk(matches(outside), outside);
  t.notOk(addressMatcher([])('10.0.0.1'), 'an empty list matches nobody');
  t.end();
});

test('keys put IPv6 in brackets', (t) => {
  t.equal(endpointKey('10.0.0.1', 80), '10.0.0.1:80');
  t.equal(endpointKey('fd00::1', 80), '[fd00::1]:80');
  t.equal(familyOf('fd00::/8'), 'IPv6');
  t.equal(familyOf('10.0.0.0/8'), 'IPv4');
  t.end();
});
