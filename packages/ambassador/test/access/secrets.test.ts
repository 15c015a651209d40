import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@outrigger/core/clock';
import { eventually, testDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { Secrets, secretsOf } from '../../src/access/secrets.ts';
import type { SecretFrom } from '../../src/daemon/config.ts';
import { read } from '../daemon/read.ts';

test('a password file that changes counts at the next look; one that is gone leaves the last', async (t) => {
  const path = join(tempDir(t), 'password');
  writeFileSync(path, 'first\n');
  const file: SecretFrom = { from: 'file', path };
  const env: SecretFrom = { from: 'env', name: 'PW' };
  const clock = new FakeClock();
  const deps = testDeps({ clock });
  let changes = 0;
  const secrets = await Secrets.open([file, env, file], {
    clock,
    log: deps.log,
    environment: { PW: 'of the environment' },
    fileCheckIntervalMs: 1000,
    changed: () => void (changes += 1),
  });
  const look = async (): Promise<void> => {
    await clock.advance(1000);
    await eventually('looked at', async () => clock.pending === 1);
  };
  t.same([secrets.get(file), secrets.get(env)], ['first', 'of the environment']);
  t.same(secrets.credentials({ username: 'u', password: file }), { username: 'u', password: 'first' });
  t.equal(secrets.credentials({ username: 'u', password: undefined }), undefined);
  writeFileSync(path, 'second');
  await look();
  t.same([secrets.get(file), changes], ['second', 1]);
  rmSync(path);
  await look();
  writeFileSync(path, '');
  await look();
  t.same([secrets.get(file), changes], ['second', 1]);
  const warnings = deps.lines.filter((line) => line.includes('cannot be read any more'));
  t.equal(warnings.length, 1, 'told once');
  t.match(warnings[0], path);
  t.notMatch(deps.lines.join(''), 'second');
  writeFileSync(path, 'third\r\n');
  await look();
  t.same([secrets.get(file), changes], ['third', 2]);
  t.throws(() => secrets.get({ from: 'env', name: 'OTHER' }), /never read/);
  secrets.close();
  t.equal(clock.pending, 0);
});

test('what is not there at the start is an error, and nothing stays behind', async (t) => {
  const clock = new FakeClock();
  const path = join(tempDir(t), 'none');
  const options = { clock, log: testDeps().log, environment: {}, fileCheckIntervalMs: 1000 };
  await t.rejects(Secrets.open([{ from: 'file', path }], options), { code: 'AMBASSADOR_NO_PASSWORD', target: path }); // prettier-ignore
  t.equal(clock.pending, 0);
});

test('every password of a configuration is found', async (t) => {
  const config = read({
    primary: 'h:1',
    passwordFrom: { env: 'OWN' },
    routes: [
      { prefix: 'a', primary: 'h:1' },
      { prefix: 'b', sentinel: ['h:1'], master: 'm', passwordFrom: { env: 'ROUTE' }, sentinelPasswordFrom: { env: 'SENTINEL' } }, // prettier-ignore
    ],
    users: [{ name: 'u', passwordFrom: { env: 'USER' } }],
  });
  const names = secretsOf(config).map((source) => (source.from === 'env' ? source.name : source.path));
  t.same([...new Set(names)].toSorted(), ['OWN', 'ROUTE', 'SENTINEL', 'USER']);
  t.same(secretsOf(read({ cluster: ['h:1'] })), []);
});
