import { OutriggerError, describeError, errorCode } from '@outrigger/core/errors';
import { createLogger, silentLogger } from '@outrigger/core/log';
import { test } from 'tap';

function capture(format: 'json' | 'text', level: 'debug' | 'warn' = 'debug') {
  const lines: string[] = [];
  const log = createLogger({ level, format, write: (line) => void lines.push(line), wall: () => 0 });
  return { lines, log };
}

test('JSON lines carry time, level, message and inherited fields', (t) => {
  const { lines, log } = capture('json');
  log.child({ role: 'proxy' }).info('started', { port: 1, none: undefined });
  t.same(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    msg: 'started',
    role: 'proxy',
    port: 1,
  });
  t.end();
});

test('text lines quote only what needs it', (t) => {
  const { lines, log } = capture('text');
  log.warn('odd', { a: 'plain', b: 'two words', c: { d: 1 } });
  t.equal(lines[0], '00:00:00.000 WARN  odd a=plain b="two words" c="{\\"d\\":1}"\n');
  t.end();
});

test('levels below the threshold are not written', (t) => {
  const { lines, log } = capture('json', 'warn');
  log.debug('a');
  log.info('b');
  log.error('c');
  t.equal(lines.length, 1);
  t.notOk(log.enabled('info'));
  t.ok(log.enabled('error'));
  silentLogger().error('nowhere');
  t.end();
});

test('errors tell code, hint and root cause', (t) => {
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  const error = new OutriggerError('cannot reach a:1', { code: 'UNREACHABLE', hint: 'start it', cause });
  t.equal(describeError(error), 'cannot reach a:1; start it; cause: connect refused');
  t.equal(errorCode(cause), 'ECONNREFUSED');
  t.equal(errorCode('x'), 'UNKNOWN');
  t.equal(describeError('x'), 'x');
  const { lines, log } = capture('json');
  log.error('failed', { error });
  t.match(JSON.parse(lines[0] ?? ''), { error: /start it/, code: 'UNREACHABLE' });
  t.end();
});
