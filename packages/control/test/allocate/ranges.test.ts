/** Ranges: which values belong, which are given out first, and what is refused as a range. */

import { test } from 'tap';
import { addressRange, portRange } from '../../src/allocate/ranges.ts';

test('an IPv4 range', async (t) => {
  const range = addressRange('10.96.0.0/16');
  t.equal(range.family, 'IPv4');
  t.equal(range.valueAt(1), '10.96.0.1');
  t.equal(range.valueAt(256), '10.96.1.0');
  t.equal(range.valueAt(range.end - 1), '10.96.255.254', 'the broadcast address is not given out');
  t.equal(range.indexOf('10.96.1.0'), 256);
  t.equal(range.indexOf('10.97.0.0'), undefined);
  t.equal(range.indexOf('fd00::1'), undefined);
  t.equal(range.indexOf('nonsense'), undefined);
  t.equal(range.band, 257, 'the first 256 addresses are for those who ask for them');
});

test('high bits survive the arithmetic', async (t) => {
  const range = addressRange('240.0.0.0/12');
  t.equal(range.indexOf('240.15.255.254'), 2 ** 20 - 2);
  t.equal(range.valueAt(2 ** 20 - 2), '240.15.255.254');
});

test('an IPv6 range', async (t) => {
  const range = addressRange('fd00:10:96::/112');
  t.equal(range.family, 'IPv6');
  t.equal(range.valueAt(1), 'fd00:10:96::1');
  t.equal(range.valueAt(range.end - 1), 'fd00:10:96::ffff');
  t.equal(range.indexOf('fd00:10:96:0::ff'), 255);
  t.equal(range.indexOf('fd00:10:97::1'), undefined);
});

test('every value of a range comes back to its index', async (t) => {
  for (const text of ['192.168.7.16/28', '10.0.0.0/22', 'fd00::ff00/120']) {
    const range = addressRange(text);
    for (let index = range.first; index < range.end; index += 1) {
      if (range.indexOf(range.valueAt(index)) !== index) t.fail(`${text} at ${index}`);
    }
  }
  t.pass('all of them');
});

test('tiny ranges keep no band', async (t) => {
  const range = addressRange('10.0.0.0/28');
  t.equal(range.band, range.first);
  t.equal(portRange('30000-30015').band, 30_000);
});

test('node ports', async (t) => {
  const range = portRange('30000-32767');
  t.equal(range.band, 30_086, 'the first 86 ports are for those who ask for them');
  t.equal(range.indexOf('32767'), 32_767);
  t.equal(range.indexOf('32768'), undefined);
  t.equal(range.indexOf('29999'), undefined);
});

for (const text of ['10.96.0.0', '10.96.0.0/33', '10.0.0.0/8', '10.0.0.0/31', 'fd00::/64', '010.0.0.0/16']) {
  test(`${text} is no service CIDR`, async (t) => {
    t.throws(() => addressRange(text), { code: 'ALLOCATE_CIDR_INVALID' });
  });
}

for (const text of ['', '30000', '32767-30000', '0-100', '30000-70000', 'a-b']) {
  test(`${JSON.stringify(text)} is no node port range`, async (t) => {
    t.throws(() => portRange(text), { code: 'ALLOCATE_PORT_RANGE_INVALID' });
  });
}
