import { encodeCommand } from '@outrigger/core/resp';
import { attributesOf, startOtlpReceiver, testDeps } from '@outrigger/core/testing';
import { Tracer } from '@outrigger/core/tracing';
import { test } from 'tap';
import { CommandTable } from '../../src/commands/table.ts';
import { AnswerWatch } from '../../src/observe/answers.ts';
import type { AnsweredRun } from '../../src/observe/answers.ts';
import { Class } from '../../src/observe/names.ts';
import { SlowLog } from '../../src/observe/slow-log.ts';
import type { SessionState } from '../../src/session/state.ts';
import { serverAt } from '../../src/upstream/server.ts';

const table = new CommandTable();
const session = {
  id: 3,
  name: 'web',
  peer: '10.0.0.9:5000',
  identity: { user: undefined, password: undefined, protocol: 2, database: 1 },
  lastCommand: 'SET',
} as SessionState;

function run(commands: readonly (readonly string[])[], more: Partial<AnsweredRun> = {}): AnsweredRun {
  return {
    bytes: commands.map((args) => encodeCommand(args)),
    streamed: false,
    count: commands.length,
    answered: commands.length,
    sentAtMs: 100,
    commandClass: Class.read,
    place: 'replica',
    line: { server: serverAt({ kind: 'tcp', host: '10.0.0.1', port: 6379 }) },
    ...more,
  };
}

function watch(tracer = new Tracer(testDeps())) {
  const slowLog = new SlowLog({ thresholdMs: 10, entries: 8, keys: true }, () => {});
  const commandOf = (args: readonly Buffer[]) => {
    const name = (args[0]?.toString() ?? '').toUpperCase();
    const known = table.find(Buffer.from(name), name.length) ?? table.unknown;
    return known.examine?.(args) ?? known;
  };
  return { slowLog, answers: new AnswerWatch({ slowLog, tracer, commandOf, wall: () => 0 }) };
}

const ok = Buffer.from('+OK\r\n');

test('the command that was waited for is in the slow log, and none below the threshold', (t) => {
  const { slowLog, answers } = watch();
  const pipeline = [
    ['GET', 'a'],
    ['SORT', 'b'],
    ['GET', 'c'],
  ];
  answers.answered(run(pipeline, { answered: 1 }), session, ok, 1, 9);
  answers.answered(run(pipeline, { answered: 3 }), session, ok, 2, 25);
  t.match(slowLog.page(), {
    total: 1,
    entries: [{ command: 'SORT (no STORE)', key: 'b', durationMs: 25, session: 3, server: '10.0.0.1:6379' }],
  });
  t.end();
});

test('a blocking command is not slow, a large one is noted without its arguments', (t) => {
  const { slowLog, answers } = watch();
  answers.answered(run([['BLPOP', 'q', '0']], { commandClass: Class.blocking }), session, ok, 1, 5_000);
  t.equal(slowLog.page().total, 0);
  answers.answered(run([['SET', 'k']], { streamed: true }), session, ok, 1, 50);
  t.match(slowLog.page().entries, [{ command: 'SET', key: undefined }]);
  t.end();
});

test('a run that is complete becomes a span, with the first word of its error', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const tracer = new Tracer(testDeps());
  await tracer.configure({ endpoint: receiver.url, sample: 1, service: 'test' });
  const { answers } = watch(tracer);
  const gets = Array.from({ length: 40 }, (_, i) => ['GET', `k${i}`]);
  answers.answered(run(gets, { answered: 7 }), session, ok, 7, 1);
  answers.answered(run(gets), session, ok, 33, 2);
  answers.answered(run([['client', 'id']]), session, Buffer.from('-WRONGTYPE Operation\r\n'), 1, 3);
  answers.answered(
    run([['SET', 'k']], { streamed: true, place: 'own' }),
    session,
    Buffer.from('-no\r\n'),
    1,
    3,
  );
  await tracer.close();
  const spans = receiver.spans().map((span) => ({ name: span.name, ...attributesOf(span) }));
  t.match(spans, [
    {
      name: 'PIPELINE GET',
      'db.operation.batch.size': 40,
      'db.namespace': '1',
      'outrigger.redis.route': 'replica',
    },
    { name: 'CLIENT ID', 'error.type': 'WRONGTYPE' },
    { name: 'SET', 'error.type': 'ERR', 'outrigger.redis.route': 'own' },
  ]);
  t.equal(spans.length, 3);
});
