import { formatAddress, isLoopback, parseAddress, parseTarget, warnOfExposure } from '@outrigger/core/net';
import { testDeps } from '@outrigger/core/testing';
import { test } from 'tap';

test('every form of the command line parses and prints back', (t) => {
  for (const text of ['127.0.0.1:80', '[::1]:0', ':8080', 'localhost:65535', 'unix:/run/x.sock', 'fd:3']) {
    t.equal(formatAddress(parseAddress(text)), text);
  }
  t.same(parseAddress('[fe80::1%eth0]:5'), { kind: 'tcp', host: 'fe80::1%eth0', port: 5 });
  t.end();
});

test('what is not an address says what is wanted', (t) => {
  for (const text of [
    '',
    '80',
    'a:b',
    '1.2.3.4',
    '::1:80',
    '[zz]:1',
    'h:65536',
    'unix:rel',
    'fd:1',
    'fd:x',
  ]) {
    t.throws(() => parseAddress(text), { code: 'ADDRESS_INVALID', hint: /^want / }, text);
  }
  t.throws(() => parseAddress(`unix:/${'x'.repeat(107)}`), { code: 'ADDRESS_INVALID' });
  t.end();
});

test('targets are servers: Services and URLs too, never a socket handed over or port 0', (t) => {
  t.same(parseTarget('svc:default/redis:tcp'), {
    kind: 'service',
    namespace: 'default',
    name: 'redis',
    port: 'tcp',
  });
  t.same(parseTarget('svc:a/b'), { kind: 'service', namespace: 'a', name: 'b', port: undefined });
  t.match(parseTarget('rediss://h:1/2'), { kind: 'url' });
  for (const text of ['fd:3', ':80', 'h:0', 'svc:x', 'http://'])
    t.throws(() => parseTarget(text), { code: 'ADDRESS_INVALID' }, text);
  t.end();
});

test('loopback is 127/8, ::1, localhost and unix sockets only', (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
    t.ok(isLoopback(host), host);
  for (const host of ['', '0.0.0.0', '10.0.0.1', '127.evil.example', '::']) t.notOk(isLoopback(host), host);
  t.ok(isLoopback(parseAddress('unix:/a')));
  t.notOk(isLoopback(parseAddress(':80')));
  t.end();
});

test('a listener that other machines reach is named in the log, one that they do not is not', (t) => {
  const { log, lines } = testDeps();
  for (const text of ['127.0.0.1:1', '[::1]:1', 'unix:/a']) warnOfExposure(log, 'local', parseAddress(text));
  t.same(lines, []);
  warnOfExposure(log, 'scrape', parseAddress('0.0.0.0:9102'));
  t.match(lines, [/WARN +listening beyond loopback without TLS listener=scrape address=0\.0\.0\.0:9102/]);
  t.end();
});
