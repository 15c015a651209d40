import { test } from 'tap';
import { CommandRules } from '../../src/access/rules.ts';
import { CommandTable } from '../../src/commands/table.ts';
import type { Command } from '../../src/commands/command.ts';
import type { AmbassadorConfig } from '../../src/daemon/config.ts';
import { read } from '../daemon/read.ts';

const table = new CommandTable();
const named = (name: string): Command => {
  const command = table.named(name);
  if (command === undefined) throw new Error(`no ${name} in the table`);
  return command;
};
const env = { env: 'P' };

function rulesOf(values: Record<string, unknown>): CommandRules {
  const { commands, users }: AmbassadorConfig = read({ primary: 'h:1', ...values });
  return new CommandRules(commands, users);
}

/** Which of these are refused. */
function refused(rules: CommandRules, names: string[], user = 'default'): string[] {
  return names.filter((name) => rules.refusal(named(name), user) !== undefined);
}

test('without rules everything passes, and nothing is restricted', async (t) => {
  const rules = rulesOf({});
  t.same(
    table.all().filter((command) => rules.rule(command, 'anybody') !== undefined),
    [],
  );
  t.equal(rules.restricts('anybody'), false);
  t.same(
    rules.unknownNames(() => false),
    [],
  );
});

test('a denied container takes its subcommands along; a subcommand alone leaves the others', async (t) => {
  const rules = rulesOf({ denyCommands: ['script', 'config|set', 'SORT'] });
  const names = ['SCRIPT', 'SCRIPT|LOAD', 'CONFIG|SET', 'SORT', 'SORT (no STORE)', 'CONFIG', 'CONFIG|GET', 'GET', 'SET', 'AUTH']; // prettier-ignore
  t.same(refused(rules, names), names.slice(0, 5));
  t.equal(rules.rule(named('CONFIG|SET'), 'x'), 'command');
  t.equal(
    rules.refusal(named('CONFIG|SET'), 'x'),
    "NOPERM this user has no permissions to run the 'config|set' command",
  );
  t.equal(
    rules.refusal(named('SORT (no STORE)'), 'x'),
    "NOPERM this user has no permissions to run the 'sort' command",
  );
  t.equal(rules.restricts('x'), true);
});

test('with an allow list nothing else passes, except what a client needs to get in and out', async (t) => {
  const rules = rulesOf({ allowCommands: ['GET', 'CONFIG|GET', 'CLIENT'], denyCommands: ['CLIENT|KILL'] });
  const names = ['SET', 'CONFIG', 'CONFIG|SET', 'CLIENT|KILL', 'PING', 'MULTI', 'PSYNC'];
  t.same(refused(rules, [...names, 'GET', 'CONFIG|GET', 'CLIENT', 'CLIENT|ID', 'AUTH', 'HELLO', 'QUIT', 'RESET']), names); // prettier-ignore
});

test('of an entry for a subcommand and one for its container the former counts', async (t) => {
  const rules = rulesOf({ allowCommands: ['CONFIG', 'OBJECT|FREQ'], denyCommands: ['CONFIG|SET', 'OBJECT'] });
  t.same(refused(rules, ['CONFIG|GET', 'CONFIG|SET', 'OBJECT|FREQ', 'OBJECT|HELP']), ['CONFIG|SET', 'OBJECT|HELP']); // prettier-ignore
});

test('readOnly refuses all that may write, and lets transactions of reads run', async (t) => {
  const rules = rulesOf({ readOnly: true });
  const writes = table.all().filter(({ mutates, route }) => mutates && route !== 'exec');
  t.ok(writes.length > 100);
  for (const command of writes) t.equal(rules.rule(command, 'x'), 'readOnly', command.name);
  t.same(
    refused(rules, ['GET', 'EVAL_RO', 'SORT (no STORE)', 'MULTI', 'EXEC', 'DISCARD', 'WATCH', 'SCAN', 'SUBSCRIBE', 'INFO', 'CONFIG|GET']),
    [],
  ); // prettier-ignore
  t.match(rules.refusal(named('SET'), 'x'), /^NOPERM this user has no permissions to run the 'set' command$/);
  const get = named('GET');
  t.equal(rules.rule({ ...get, mutates: true }, 'x'), 'readOnly', 'as a live server corrects the table');
});

test('rules of a user come on top of those of everybody, and end with the user', async (t) => {
  const rules = rulesOf({
    denyCommands: ['FLUSHALL'],
    users: [
      { name: 'admin', passwordFrom: env, allow: ['FLUSHALL', 'SET', 'KEYS'] },
      { name: 'viewer', passwordFrom: env, readOnly: true },
      { name: 'app', passwordFrom: env, deny: ['KEYS'] },
    ],
  });
  const names = ['FLUSHALL', 'SET', 'KEYS', 'GET'];
  t.same(refused(rules, names, 'admin'), ['FLUSHALL', 'GET']);
  t.same(refused(rules, names, 'viewer'), ['FLUSHALL', 'SET']);
  t.same(refused(rules, names, 'app'), ['FLUSHALL', 'KEYS']);
  t.same(refused(rules, names, 'viewer'), ['FLUSHALL', 'SET'], 'whoever asked before');
  t.same(refused(rules, [...names, 'AUTH', 'QUIT'], 'gone'), names);
  t.same(refused(rules, names, 'gone'), names, 'asked twice');
  t.equal(rules.restricts('gone'), true);
});

test('users without rules of their own are not restricted', async (t) => {
  const rules = rulesOf({ users: [{ name: 'app', passwordFrom: env }, { name: 'v', passwordFrom: env, readOnly: true }] }); // prettier-ignore
  t.same([rules.restricts('app'), rules.restricts('v')], [false, true]);
  t.same(refused(rules, ['SET', 'PSYNC'], 'app'), []);
});

test('a command behind which nothing is looked at must be allowed by name where there are lists', async (t) => {
  t.same(refused(rulesOf({ denyCommands: ['FLUSHALL'] }), ['PSYNC', 'REPLCONF', 'MONITOR']), ['PSYNC', 'REPLCONF']); // prettier-ignore
  t.same(refused(rulesOf({ allowCommands: ['PSYNC'], denyCommands: ['FLUSHALL'] }), ['PSYNC']), []);
});

test('commands that nobody knows are judged by the name that was typed', async (t) => {
  const rules = rulesOf({ denyCommands: ['FT.DROPINDEX'] });
  t.equal(rules.refusal(table.unknown, 'x', 'FT.DROPINDEX'), "NOPERM this user has no permissions to run the 'ft.dropindex' command"); // prettier-ignore
  t.equal(rules.refusal(table.unknown, 'x', 'FT.SEARCH'), undefined);
  t.equal(
    rules.refusal(table.unknown, 'x', 'FT.DROPINDEX')?.slice(0, 6),
    'NOPERM',
    'no verdict is kept for all of them',
  );
  t.equal(rulesOf({ allowCommands: ['GET'] }).rule(table.unknown, 'x'), 'command');
  t.equal(rulesOf({ allowCommands: ['FT.SEARCH'] }).rule(table.unknown, 'x', 'FT.SEARCH'), undefined);
});

test('commands learned later have indexes beyond the table', async (t) => {
  const rules = rulesOf({ denyCommands: ['JSON.SET'] });
  const learned = (name: string, index: number): Command => ({ ...named('SET'), name, index });
  for (const round of [1, 2]) {
    t.equal(rules.rule(learned('JSON.SET', 5000), 'x'), 'command', `round ${round}`);
    t.equal(rules.rule(learned('JSON.GET', 9000), 'x'), undefined);
    t.equal(rules.rule(named('GET'), 'x'), undefined);
  }
});

test('names that no server knows are told', async (t) => {
  const rules = rulesOf({
    denyCommands: ['FLUSHAL', 'CONFIG|SET', 'FLUSHALL'],
    users: [{ name: 'a', passwordFrom: env, allow: ['GETT', 'GET'], deny: ['FLUSHAL'] }],
  });
  t.same(
    rules.unknownNames((name) => table.named(name) !== undefined),
    ['FLUSHAL', 'GETT'],
  );
});
