/** The contract with scripts: exit codes, the ready line, signals. */

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { tempDir } from '../../../test/harness/index.ts';
import { launch, run, startControl, started } from './outrigger.ts';

const commands = ['control', 'proxy', 'ambassador', 'adapter', 'register', 'up', 'why', 'check'];

test('help of each command, and of the whole', async (t) => {
  const all = await run(t, ['--help']);
  t.equal(all.code, 0);
  for (const command of commands) t.match(all.stdout, new RegExp(`^  ${command} `, 'm'));
  const helps = await Promise.all(commands.map((command) => run(t, [command, '--help'])));
  for (const [i, { code, stdout, stderr }] of helps.entries()) {
    t.equal(code, 0, `${commands[i]}`);
    t.match(stdout, new RegExp(`^usage: outrigger ${commands[i]}`));
    t.equal(stderr, '');
  }
  t.match((await run(t, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('2: what is asked for makes no sense, and every problem is told', async (t) => {
  const unknown = await run(t, ['serve']);
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, /no command "serve"/);

  const many = await run(t, ['control', '--listne', ':1', '--listen', 'nowhere', '--max-reads', 'lots']);
  t.equal(many.code, 2);
  for (const part of [/listne/, /nowhere/, /lots/]) t.match(many.stderr, part);

  const dir = tempDir(t);
  const file = join(dir, 'proxy.yaml');
  writeFileSync(file, 'publish: 5\ncolour: red\nadmin: nowhere\n');
  const document = await run(t, ['proxy', '--control', 'http://127.0.0.1:1', '--config', file]);
  t.equal(document.code, 2);
  for (const part of [/publish/, /colour/, /nowhere/]) t.match(document.stderr, part);

  const cases: [string[], RegExp][] = [
    [['proxy'], /--control/],
    [['proxy', '--control', 'http://127.0.0.1:1', '--mode', 'nftables'], /--mode/],
    [['proxy', '--control', 'ftp://x'], /ftp/],
    [['proxy', '--config', join(dir, 'missing.yaml')], /missing\.yaml/],
    [['proxy', '--kubeconfig', join(dir, 'missing')], /missing/],
    [['control', '--memory', '--listen', '0.0.0.0:0'], /others can reach/],
    [['register', '--', 'true'], /--service[^]*--ports[^]*--address[^]*--control/],
    [['up', '-f', join(dir, 'missing')], /missing/],
    [['why', 'who'], /svc NS\/NAME/],
    [['check'], /FILE/],
    [['check', join(dir, 'missing')], /missing/],
  ];
  const results = await Promise.all(cases.map(([args]) => run(t, args)));
  for (const [i, { code, stderr, stdout }] of results.entries()) {
    const [args, text] = cases[i] ?? [[], /./];
    t.equal(code, 2, args.join(' '));
    t.match(stderr, text);
    t.equal(stdout, '', 'no ready line');
  }
});

test('3: cannot listen', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const results = await Promise.all([
    run(t, ['control', '--memory', '--listen', taken]),
    run(t, ['proxy', '--control', 'http://127.0.0.1:1', '--admin', taken]),
    run(t, [
      'proxy',
      '--control',
      'http://127.0.0.1:1',
      '--admin',
      '127.0.0.1:0',
      '--publish',
      `default/web=${taken}`,
    ]),
    run(t, ['up', '--memory', '--listen', taken]),
  ]);
  for (const { code, stderr } of results) {
    t.equal(code, 3);
    t.match(stderr, new RegExp(`cannot listen on ${taken}`));
    t.match(stderr, /another process listens there/);
  }
});

test('4: another control service holds the data', async (t) => {
  const data = join(tempDir(t), 'data');
  await started(t, ['control', '--data', data, '--listen', '127.0.0.1:0']);
  const second = await run(t, ['control', '--data', data, '--listen', '127.0.0.1:0']);
  t.equal(second.code, 4);
  t.match(second.stderr, data);
  t.equal(second.stdout, '');
});

test('1: failed', async (t) => {
  const why = await run(t, ['why', 'svc', 'default/web', '--admin', '127.0.0.1:1']);
  t.equal(why.code, 1);
  t.match(why.stderr, /nothing answers at 127\.0\.0\.1:1/);
});

test('the ready line is on stdout whatever the log level; signals end it cleanly with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const control = await started(t, [
      'control',
      '--memory',
      '--listen',
      '127.0.0.1:0',
      '--log-level',
      'error',
    ]);
    t.equal(control.role, 'control');
    t.match(control.addresses['api'], /^127\.0\.0\.1:\d+$/);
    t.equal((await fetch(`http://${control.addresses['api']}/readyz`)).status, 200);
    control.process.signal(signal);
    t.same(await control.process.exited, { code: 0, signal: null });
    t.equal(control.process.stdout.trim().split('\n').length, 1, 'and nothing else');
    t.equal(control.process.stderr, '');
  }
});

test('asked to end before it is ready, it ends with 0', async (t) => {
  const waiting = await launch(t, [
    'proxy',
    ...['--control', 'http://127.0.0.1:1', '--admin', '127.0.0.1:0', '--log-format', 'json'],
  ]);
  await waiting.matched(/127\.0\.0\.1:1/);
  waiting.signal('SIGTERM');
  t.same(await waiting.exited, { code: 0, signal: null });
  t.equal(waiting.stdout, '');
});

test('every daemon ends with 0 within its drain timeout', async (t) => {
  const { url } = await startControl(t);
  const daemons = await Promise.all([
    started(t, ['proxy', '--control', url, '--admin', '127.0.0.1:0', '--publish', 'default/web=127.0.0.1:0']),
    started(t, [
      'adapter',
      '--listen',
      '127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
      '--statsd-udp',
      '127.0.0.1:0',
      '--statsd-tcp',
      '',
    ]),
    started(t, [
      'ambassador',
      '--listen',
      '127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
      '--primary',
      '127.0.0.1:1',
    ]),
  ]);
  for (const { process } of daemons) process.signal('SIGTERM');
  for (const { process, role } of daemons) t.same(await process.exited, { code: 0, signal: null }, role);
});
