import {
  configKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  httpPath,
  labelValue,
  pathSegmentName,
  portName,
  portNumber,
  qualifiedName,
} from '@outrigger/core/api';
import { test } from 'tap';

const long = (length: number): string => 'a'.repeat(length);

interface Row {
  readonly check: (value: string) => string[];
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const rows: Record<string, Row> = {
  dns1123Label: {
    check: dns1123Label,
    good: ['a', '0', 'web-1', '1web', long(63)],
    bad: ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'ä', long(64), 'a\n', ' a'],
  },
  dns1123Subdomain: {
    check: dns1123Subdomain,
    good: ['a', 'a.b', '1.2', 'web.example.com', long(253)],
    bad: ['', '.a', 'a.', 'a..b', 'A.b', 'a-.b', long(254)],
  },
  dns1035Label: {
    check: dns1035Label,
    good: ['a', 'web-1', long(63)],
    bad: ['', '1a', '-a', 'a-', 'A', 'a.b', long(64)],
  },
  qualifiedName: {
    check: qualifiedName,
    good: ['a', 'A', 'a.b_c-d', 'example.com/Name', '1', long(63), `${long(63)}.b/${long(63)}`],
    bad: ['', '/a', 'a/', 'a/b/c', '-a', 'a-', 'Example.com/a', 'a b', long(64), `${long(254)}/a`],
  },
  labelValue: {
    check: labelValue,
    good: ['', 'a', 'A_b.c-1', long(63)],
    bad: ['-', 'a-', '.a', 'a b', 'a/b', long(64)],
  },
  portName: {
    check: portName,
    good: ['http', 'a', '1a', 'http-80', 'a-b-c'],
    bad: ['', '80', 'HTTP', 'a_b', '-a', 'a-', 'a--b', long(16)],
  },
  configKey: {
    check: configKey,
    good: ['a', '.a', 'a.b', 'A-b_c', '...'.slice(0, 1) + 'x', long(253)],
    bad: ['', '.', '..', '..a', 'a/b', 'a b', long(254)],
  },
  pathSegmentName: { check: pathSegmentName, good: ['a', 'a:b', 'A'], bad: ['.', '..', 'a/b', 'a%b'] },
  httpPath: { check: httpPath, good: ['/', '/a/b', '/a?b=c', '/%20'], bad: ['', 'a', '/a b', '/%2', '?a'] },
};

for (const [name, { check, good, bad }] of Object.entries(rows)) {
  test(name, (t) => {
    for (const value of good) t.same(check(value), [], `takes ${JSON.stringify(value)}`);
    for (const value of bad) t.not(check(value).length, 0, `refuses ${JSON.stringify(value)}`);
    t.end();
  });
}

test('problems say what is wrong in the words people search for', (t) => {
  t.match(dns1123Label('A')[0], "must consist of lower case alphanumeric characters or '-'");
  t.same(dns1123Label(long(64)), ['must be no more than 63 characters']);
  t.match(dns1035Label('1a')[0], 'start with an alphabetic character');
  t.same(qualifiedName('/a'), ['prefix part must be non-empty']);
  t.same(qualifiedName('a/'), ['name part must be non-empty']);
  t.match(qualifiedName('Example.com/a')[0], /^prefix part a lowercase RFC 1123 subdomain/);
  t.same(portName('80'), ['must contain at least one letter (a-z)']);
  t.same(portName('a--b'), ['must not contain consecutive hyphens']);
  t.end();
});

test('a port number is from 1 to 65535', (t) => {
  for (const port of [1, 80, 65_535]) t.same(portNumber(port), []);
  for (const port of [0, -1, 65_536, 1.5])
    t.same(portNumber(port), ['must be between 1 and 65535, inclusive']);
  t.end();
});
