import { test } from 'tap';
import { decodeReply, encodeCommand } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { clusterAnswer, standaloneInfo } from '../../src/locals/cluster-view.ts';
import { Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const args = (...words: readonly string[]): Buffer[] => words.map((one) => Buffer.from(one));

function textOf(value: RespValue): string {
  if (value.type === 'bulk') return value.bytes.toString();
  return value.type === 'verbatim' ? value.text : value.type;
}

test('CLUSTER answers as a Redis without cluster support does', redis, async (t) => {
  const server = await startRedis(t);
  const wire = await Wire.open(t, server.port);
  for (const words of [['CLUSTER'], ['CLUSTER', 'SLOTS'], ['cluster', 'info'], ['CLUSTER', 'KEYSLOT', 'k']]) {
    t.equal(Buffer.from(clusterAnswer(args(...words))).toString(), await wire.say(...words), words.join(' '));
  }
});

test('INFO of a cluster node tells of no cluster, in both protocols', redis, async (t) => {
  const server = await startRedis(t, { config: { 'cluster-enabled': 'yes' } });
  const wire = await Wire.open(t, server.port);
  for (const protocol of [2, 3]) {
    await wire.say('HELLO', protocol);
    const reply = await wire.ask(encodeCommand(['INFO']));
    t.match(reply.toString(), 'redis_mode:cluster', 'the node itself says so');
    const told = decodeReply(standaloneInfo(reply));
    t.equal(told.type, protocol === 3 ? 'verbatim' : 'bulk');
    t.match(textOf(told), /^redis_mode:standalone\r$/m);
    t.match(textOf(told), /^cluster_enabled:0\r$/m);
    t.notMatch(textOf(told), 'cluster_enabled:1');
    const lines = (text: string): string[] => text.split('\r\n');
    const before = lines(textOf(decodeReply(reply)));
    const changed = lines(textOf(told)).filter((line, i) => line !== before[i]);
    t.strictSame(changed, ['redis_mode:standalone', 'cluster_enabled:0'], 'and nothing else is touched');
  }
});

test('an INFO that tells nothing of clusters is passed on as it is', redis, async (t) => {
  const server = await startRedis(t);
  const wire = await Wire.open(t, server.port);
  for (const words of [['INFO'], ['INFO', 'memory'], ['INFO', 'nosuchsection'], ['GET', 'k'], ['GET']]) {
    const reply = await wire.ask(encodeCommand(words));
    t.equal(standaloneInfo(reply), reply, words.join(' '));
  }
  const empty = new Uint8Array(0);
  t.equal(standaloneInfo(empty), empty);
});
