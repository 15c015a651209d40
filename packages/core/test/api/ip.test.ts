import {
  canonicalIP,
  cidrContains,
  cidrProblems,
  formatIP,
  ipFamily,
  ipProblems,
  parseCIDR,
  parseIP,
  specialIPProblems,
} from '@outrigger/core/api';
import { test } from 'tap';

const canonical: Record<string, string> = {
  '10.0.0.1': '10.0.0.1',
  '255.255.255.255': '255.255.255.255',
  '::': '::',
  '::1': '::1',
  '1::': '1::',
  '2001:DB8::1': '2001:db8::1',
  '2001:db8:0:0:0:0:0:1': '2001:db8::1',
  '2001:0db8:0000:0001:0000:0000:0000:0001': '2001:db8:0:1::1',
  '1:0:0:2:0:0:0:3': '1:0:0:2::3',
  '1:2:3:0:5:6:7:8': '1:2:3:0:5:6:7:8',
  '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
};

test('addresses have one way to be written', (t) => {
  for (const [text, want] of Object.entries(canonical)) t.equal(canonicalIP(text), want, text);
  t.end();
});

test('text that programs read differently is no address', (t) => {
  const refused = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '256.1.1.1',
    '1.2.3.4 ',
    'fe80::1%eth0',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7',
    'g::',
    'web',
    '0x7f.1',
  ];
  for (const text of refused) {
    t.equal(parseIP(text), undefined, text);
    t.same(ipProblems(text), ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
    t.equal(canonicalIP(text), undefined);
  }
  t.end();
});

test('every address survives formatting and parsing', (t) => {
  for (let seed = 1; seed < 2_000; seed += 7) {
    const bytes = Uint8Array.from(
      { length: 16 },
      (_, index) => ((seed >> (index % 8)) & 1) * ((seed * (index + 3)) & 0xff),
    );
    bytes[0] = 0x20;
    t.same(parseIP(formatIP(bytes)), bytes);
  }
  t.end();
});

test('families', (t) => {
  t.equal(ipFamily('10.0.0.1'), 'IPv4');
  t.equal(ipFamily('::1'), 'IPv6');
  t.equal(ipFamily('web'), undefined);
  t.end();
});

test('CIDRs', (t) => {
  t.match(parseCIDR('10.96.1.2/16'), { family: 'IPv4', prefix: 16, base: Uint8Array.of(10, 96, 0, 0) });
  t.match(parseCIDR('2001:db8::1/33'), { family: 'IPv6', prefix: 33 });
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0/8',
    '::/129',
    'a/8',
    '/8',
  ]) {
    t.equal(parseCIDR(text), undefined, text);
    t.same(cidrProblems(text), ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']);
  }
  t.same(cidrProblems('0.0.0.0/0'), []);
  t.end();
});

test('a CIDR contains the addresses of its prefix and family', (t) => {
  const inside = (cidr: string, ip: string): boolean => {
    const range = parseCIDR(cidr);
    const address = parseIP(ip);
    return range !== undefined && address !== undefined && cidrContains(range, address);
  };
  t.ok(inside('10.96.0.0/12', '10.111.255.255'));
  t.notOk(inside('10.96.0.0/12', '10.112.0.0'));
  t.ok(inside('10.0.0.1/32', '10.0.0.1'));
  t.notOk(inside('10.0.0.1/32', '10.0.0.2'));
  t.ok(inside('0.0.0.0/0', '255.1.2.3'));
  t.ok(inside('2001:db8::/33', '2001:db8:7fff::1'));
  t.notOk(inside('2001:db8::/33', '2001:db8:8000::1'));
  t.notOk(inside('::/0', '10.0.0.1'));
  t.end();
});

test('addresses that mean another machine to every reader are special', (t) => {
  const special: Record<string, string> = {
    '0.0.0.0': 'may not be unspecified (0.0.0.0 or ::)',
    '::': 'may not be unspecified (0.0.0.0 or ::)',
    '127.0.0.1': 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    '127.255.0.1': 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    '::1': 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    '169.254.1.1': 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    'fe80::1': 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    'febf::1': 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    '224.0.0.5': 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    'ff02::1': 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  };
  for (const [ip, problem] of Object.entries(special)) t.same(specialIPProblems(ip), [problem], ip);
  for (const ip of ['10.0.0.1', '128.0.0.1', '169.253.0.1', '224.0.1.1', 'fec0::1', '2001:db8::1', 'web']) {
    t.same(specialIPProblems(ip), [], ip);
  }
  t.end();
});

test('loopback is allowed where everything runs on one machine', (t) => {
  t.same(specialIPProblems('127.0.0.1', true), []);
  t.same(specialIPProblems('::1', true), []);
  t.not(specialIPProblems('169.254.1.1', true).length, 0);
  t.not(specialIPProblems('0.0.0.0', true).length, 0);
  t.end();
});
