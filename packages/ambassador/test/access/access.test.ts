import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@outrigger/core/clock';
import { eventually, testDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { Access } from '../../src/access/access.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { read } from '../daemon/read.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const table = new CommandTable();
const isCommand = (name: string): boolean => table.named(name) !== undefined;

test('one configuration: who may log in, what they may, how we log in', async (t) => {
  const path = join(tempDir(t), 'password');
  writeFileSync(path, 'first');
  const config = read({
    primary: 'h:1',
    username: 'us',
    passwordFrom: { env: 'OWN' },
    users: [{ name: 'app', passwordFrom: { file: path }, readOnly: true }],
    denyCommands: ['FLUSHAL', 'KEYS'],
    serverTls: { caFile: fixture('ca.pem') },
  });
  const clock = new FakeClock();
  const deps = testDeps({ clock });
  let changes = 0;
  const access = await Access.open(config, {
    clock,
    log: deps.log,
    environment: { OWN: 'ours' },
    isCommand,
    secretChanged: () => void (changes += 1),
  });
  t.same(access.credentials(config.login), { username: 'us', password: 'ours' });
  t.ok(access.dialTls());
  t.same([access.auth.required, access.auth.check('app', 'first')], [true, 'ok']);
  t.match(access.rules.refusal(table.named('SET') ?? table.unknown, 'app'), /^NOPERM/);
  const warnings = deps.lines.filter((line) => line.includes('rules name commands'));
  t.match(warnings, [/FLUSHAL/]);
  t.notMatch(warnings[0], /KEYS/);

  writeFileSync(path, 'second');
  await clock.advance(1000);
  await eventually('read again', async () => changes === 1);
  t.same([access.auth.check('app', 'first'), access.auth.check('app', 'second')], ['wrong', 'ok']);
  await eventually('looking again', async () => clock.pending === 2);
  access.close();
  t.equal(clock.pending, 0, 'nothing is looked at any longer');
});

test('without serverTls, rules or users there is nothing to it', async (t) => {
  const config = read({ primary: 'h:1' });
  const deps = testDeps({ clock: new FakeClock() });
  const access = await Access.open(config, { clock: deps.clock, log: deps.log, isCommand });
  t.equal(access.credentials(config.login), undefined);
  t.equal(access.dialTls(), undefined);
  t.equal(access.auth.check('x', 'y'), 'ask-server');
  t.equal(access.rules.restricts('default'), false);
  t.same(deps.lines, []);
});

test('what cannot be opened leaves nothing behind', async (t) => {
  const clock = new FakeClock();
  const path = join(tempDir(t), 'password');
  writeFileSync(path, 'first');
  const config = read({ primary: 'h:1', passwordFrom: { file: path }, serverTls: { caFile: `${path}.pem` } });
  await t.rejects(Access.open(config, { clock, log: testDeps().log, isCommand }), {
    code: 'AMBASSADOR_TLS_FILES',
    target: `${path}.pem`,
  });
  t.equal(clock.pending, 0);
});
