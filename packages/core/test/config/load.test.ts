import { boolean, integer, list, object, string } from '@outrigger/core/api';
import {
  environmentName,
  helpLines,
  InvalidConfig,
  loadConfig,
  parseDocument,
  refuseInvalid,
} from '@outrigger/core/config';
import { parseAddress } from '@outrigger/core/net';
import { test } from 'tap';

const schema = object({
  listen: string('where to listen', { default: '127.0.0.1:1' }),
  readPolicy: string('where reads go', { enum: ['primary', 'replica'], default: 'primary' }),
  replica: list(string(), 'a replica'),
  limit: integer('a limit', { minimum: 1, maximum: 9, default: 5 }),
  insecure: boolean('no questions asked'),
  nested: object({ a: string() }),
});
const checks = { listen: (value: unknown): void => void parseAddress(String(value)) };

function load(args: string[], environment: Record<string, string> = {}, document?: Record<string, unknown>) {
  const source = document === undefined ? {} : { source: { name: 'o.yaml', document } };
  return loadConfig({ schema, args, environment, checks, ...source });
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('flag beats environment beats document beats default', (t) => {
  const document = { limit: 2, readPolicy: 'replica', nested: { a: 'x' } };
  t.match(load([]).values, { listen: '127.0.0.1:1', limit: 5, readPolicy: 'primary' });
  t.match(load([], {}, document).values, { limit: 2, readPolicy: 'replica', nested: { a: 'x' } });
  t.match(load([], { OUTRIGGER_LIMIT: '3' }, document).values, { limit: 3 });
  t.match(load(['--limit', '4', '--listen=:0'], { OUTRIGGER_LIMIT: '3' }, document).values, {
    limit: 4,
    listen: ':0',
  });
  t.end();
});

test('repeatable flags collect; the environment splits on white space; -- ends the flags', (t) => {
  const loaded = load(['--replica', 'a:1', '--replica=b:2', '--insecure', '--', 'cmd', '--limit', '99']);
  t.same(loaded.values['replica'], ['a:1', 'b:2']);
  t.equal(loaded.values['insecure'], true);
  t.same(loaded.rest, ['cmd', '--limit', '99']);
  t.same(load([], { OUTRIGGER_REPLICA: ' a:1\n b:2 ' }).values['replica'], ['a:1', 'b:2']);
  t.equal(load(['--no-insecure'], { OUTRIGGER_INSECURE: 'true' }).values['insecure'], false);
  t.end();
});

test('every problem is reported at once with path, got and want', (t) => {
  const problems = problemsOf(() =>
    load(
      ['--listen', 'nonsense', '--limt', '3', '--limit', '77', '--replica'],
      { OUTRIGGER_READ_POLICY: 'any' },
      { bogus: 1 },
    ),
  );
  t.match(problems, [
    /^o\.yaml: bogus: got an unknown field, want one of listen, /,
    /^OUTRIGGER_READ_POLICY: got "any", want one of primary, replica$/,
    /^--limt: got an argument nobody reads, want --limit perhaps$/,
  ]);
  t.ok(problems.includes('--limit: got "77", want an integer from 1 to 9'));
  t.ok(problems.includes('--replica: got no value, want a value after it'));
  t.ok(problems.some((line) => line.startsWith('--listen: got "nonsense", want HOST:PORT')));
  t.end();
});

test('variables Kubernetes injects for a Service are never read', (t) => {
  t.equal(environmentName('listen'), 'OUTRIGGER_LISTEN');
  t.equal(environmentName('nodePortRange'), undefined);
  t.equal(environmentName('port'), undefined);
  t.equal(environmentName('serviceHost'), undefined);
  t.end();
});

test('help names the default and the choices', (t) => {
  const help = new Map(helpLines(schema));
  t.equal(help.get('--read-policy VALUE'), 'where reads go; one of primary, replica; default primary');
  t.ok(help.has('--replica VALUE …'));
  t.end();
});

test('a document is the bare spec or an object with a spec; anything else is refused by name', async (t) => {
  t.same(await parseDocument('limit: 3', 'f'), { limit: 3 });
  t.same(await parseDocument('{"apiVersion":"v","kind":"K","metadata":{},"spec":{"limit":4}}', 'f'), {
    limit: 4,
  });
  t.same(await parseDocument('', 'f'), {});
  await t.rejects(parseDocument('- a', 'f.yaml'), {
    code: 'CONFIG_INVALID',
    message: /^f\.yaml: the document is not/,
  });
  await t.rejects(parseDocument('a: 1\na: 2', 'f.yaml'), { code: 'CONFIG_INVALID', message: /unique/ });
});

test('what the rules of a kind find is told as got and want', (t) => {
  const reason = 'FieldValueInvalid';
  const problems = problemsOf(() =>
    refuseInvalid([
      { reason, field: '.primary', message: 'Required value: the server that takes writes' },
      { reason, field: 'maxLag', message: 'Invalid value: "a:b": must be a duration: 30s' },
      { reason, field: 'mode', message: 'Unsupported value: "x": supported values: "a", "b"' },
      { reason, field: 'other', message: 'Forbidden: may not be set' },
    ]),
  );
  t.same(problems, [
    'primary: got nothing, want the server that takes writes',
    'maxLag: got "a:b", want must be a duration: 30s',
    'mode: got "x", want supported values: "a", "b"',
    'other: got a value, want none: it may not be set',
  ]);
  t.doesNotThrow(() => refuseInvalid([]));
  t.end();
});
