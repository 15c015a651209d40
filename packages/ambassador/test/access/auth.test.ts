import { test } from 'tap';
import { authCheck, authMode } from '../../src/access/auth.ts';
import { Users } from '../../src/access/users.ts';
import type { UserSpec } from '../../src/daemon/config.ts';
import type { Credentials } from '../../src/upstream/credentials.ts';
import { read } from '../daemon/read.ts';

const passwords: Record<string, string> = { A: 'alpha', D: 'delta', E: 'ünï�' };
const secrets = {
  get: (source: UserSpec['password']) => passwords[source.from === 'env' ? source.name : ''] ?? '',
};
const user = (name: string, variable: string): UserSpec => ({
  name,
  password: { from: 'env', name: variable },
  readOnly: false,
  allow: [],
  deny: [],
});
const users = new Users([user('app', 'A'), user('default', 'D'), user('Ü', 'E')], secrets);
const nobody = new Users([], secrets);

test('a user is verified by name and password, both exactly', async (t) => {
  t.equal(users.size, 3);
  t.equal(users.verify('app', 'alpha'), 'ok');
  t.equal(users.verify('Ü', 'ünï�'), 'ok');
  for (const [name, password] of [['app', 'delta'], ['app', 'alph'], ['app', 'alphaa'], ['app', ''], ['App', 'alpha'], ['none', 'alpha'], ['none', ''], ['', '']] as const) {
    t.equal(users.verify(name, password), 'wrong', `${name} ${password}`);
  } // prettier-ignore
  passwords['A'] = 'changed';
  t.same([users.verify('app', 'alpha'), users.verify('app', 'changed')], ['wrong', 'ok'], 'as it is now');
  passwords['A'] = 'alpha';
});

test('with users, AUTH is required and ends here; a password alone is that of default', async (t) => {
  const mode = authMode(read({ primary: 'h:1', passwordFrom: { env: 'P' }, users: [{ name: 'a', passwordFrom: { env: 'A' } }] })); // prettier-ignore
  t.equal(mode, 'users');
  const auth = authCheck(mode, users, () => ({ username: undefined, password: 'of the servers' }));
  t.equal(auth.required, true);
  t.equal(auth.check('app', 'alpha'), 'ok');
  t.equal(auth.check(undefined, 'delta'), 'ok');
  t.equal(auth.check(undefined, 'alpha'), 'wrong');
  t.equal(auth.check(undefined, 'of the servers'), 'wrong', 'the login of the servers opens nothing here');
  t.same([auth.knows?.('app'), auth.knows?.('gone')], [true, false]);
  const withoutDefault = authCheck(mode, new Users([user('app', 'A')], secrets), () => undefined);
  t.equal(withoutDefault.check(undefined, 'alpha'), 'wrong');
});

test('with a login of its own alone, AUTH is not required, and a client’s must be that very login', async (t) => {
  const mode = authMode(read({ primary: 'h:1', passwordFrom: { env: 'P' } }));
  t.equal(mode, 'own');
  let own: Credentials | undefined = { username: undefined, password: 'secret' };
  const auth = authCheck(mode, nobody, () => own);
  t.equal(auth.required, false);
  t.same([auth.check(undefined, 'secret'), auth.check('default', 'secret')], ['ok', 'ok']);
  t.same([auth.check(undefined, 'x'), auth.check('app', 'secret')], ['wrong', 'wrong']);
  t.equal(auth.knows?.('default'), true);
  own = { username: 'app', password: 'secret' };
  t.same([auth.check('app', 'secret'), auth.check(undefined, 'secret')], ['ok', 'wrong']);
  own = { username: 'app', password: 'rotated' };
  t.same([auth.check('app', 'secret'), auth.check('app', 'rotated')], ['wrong', 'ok']);
  own = undefined;
  t.equal(auth.check(undefined, ''), 'wrong');
});

test('without either, the servers judge', async (t) => {
  const mode = authMode(read({ primary: 'h:1' }));
  t.equal(mode, 'through');
  const auth = authCheck(mode, nobody, () => undefined);
  t.same(
    [auth.required, auth.check('x', 'y'), auth.check(undefined, '')],
    [false, 'ask-server', 'ask-server'],
  );
  t.equal(typeof auth.knows, 'undefined');
});

test('what failed here is told, to be counted', async (t) => {
  let wrong = 0;
  const onWrong = (): void => void (wrong += 1);
  const own = { username: undefined, password: 'secret' };
  const [local, ours, theirs] = (['users', 'own', 'through'] as const).map((mode) =>
    authCheck(mode, users, () => own, onWrong),
  );
  t.same([local?.check('app', 'alpha'), ours?.check(undefined, 'secret'), theirs?.check('x', 'y'), wrong], ['ok', 'ok', 'ask-server', 0]); // prettier-ignore
  t.same([local?.check('app', 'x'), ours?.check('app', 'x'), wrong], ['wrong', 'wrong', 2]);
});
