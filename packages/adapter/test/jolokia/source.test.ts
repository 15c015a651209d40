/** The answers in fixtures/ are recorded from Jolokia's documented protocol (agent 2.x), not from a live JVM. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { FakeClock, systemClock } from '@outrigger/core/clock';
import type { SourceHttp } from '@outrigger/core/api';
import type { MetricFamily } from '@outrigger/core/exposition';
import { createLogger } from '@outrigger/core/log';
import { tempDir } from '../../../../test/harness/index.ts';
import { jolokiaSource } from '../../src/jolokia/source.ts';
import type { JolokiaDeps, JolokiaSpec } from '../../src/jolokia/source.ts';
import type { Source } from '../../src/sources/source.ts';
import { asked, bodyOf, serve } from '../http/servers.ts';

const http: SourceHttp = { insecureSkipVerify: false, followRedirects: true, maxBodySize: '1MiB' };
const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8');

interface Asked {
  readonly type: string;
  readonly mbean: string;
}

/** Answers one fixture after the other. */
async function agent(t: Test, ...answers: string[]): Promise<{ url: string; asks: Asked[][] }> {
  const asks: Asked[][] = [];
  const server = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      asks.push(JSON.parse(body) as Asked[]);
      const answer = answers[Math.min(asks.length, answers.length) - 1] ?? '';
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.end(answer);
    });
  });
  return { url: `${server.url}jolokia`, asks };
}

function source(t: Test, url: string, spec: Partial<JolokiaSpec>, deps: Partial<JolokiaDeps> = {}): Source {
  const place = { address: url, labels: {} };
  const made = jolokiaSource({ url, http, ...spec }, place, { clock: systemClock(), ...deps });
  t.teardown(() => made.close());
  return made;
}

const lines = (families: readonly MetricFamily[]): string[] =>
  families.flatMap(({ name, type, samples }) =>
    samples.map(
      ({ labels, value }) => `${name} ${type} {${labels.map((pair) => pair.join('=')).join(',')}} ${value}`,
    ),
  );

const include = ['java.lang:*', 'kafka.server:type=BrokerTopicMetrics,*', 'com.example:type=Gone'];

test('without rules every number has its default name, out of one request', async (t) => {
  const { url, asks } = await agent(t, fixture('read-jvm'));
  const { families, dropped } = await source(t, url, { rules: { includeObjectNames: include } }).collect(
    asked(),
  );
  t.same(lines(families), [
    'java_lang_Memory_ObjectPendingFinalizationCount unknown {} 0',
    'java_lang_Memory_Verbose unknown {} 0',
    'java_lang_Memory_HeapMemoryUsage_init unknown {} 264241152',
    'java_lang_Memory_HeapMemoryUsage_committed unknown {} 285212672',
    'java_lang_Memory_HeapMemoryUsage_max unknown {} 4208984064',
    'java_lang_Memory_HeapMemoryUsage_used unknown {} 135135136',
    'java_lang_Memory_NonHeapMemoryUsage_init unknown {} 7667712',
    'java_lang_Memory_NonHeapMemoryUsage_committed unknown {} 86704128',
    'java_lang_Memory_NonHeapMemoryUsage_max unknown {} -1',
    'java_lang_Memory_NonHeapMemoryUsage_used unknown {} 82927816',
    'java_lang_GarbageCollector_CollectionCount unknown {name=G1 Young Generation} 12',
    'java_lang_GarbageCollector_CollectionTime unknown {name=G1 Young Generation} 83',
    'java_lang_GarbageCollector_Valid unknown {name=G1 Young Generation} 1',
    'java_lang_GarbageCollector_LastGcInfo_GcThreadCount unknown {name=G1 Young Generation} 8',
    'java_lang_GarbageCollector_LastGcInfo_duration unknown {name=G1 Young Generation} 4',
    ...['init', 'committed', 'max', 'used'].flatMap((name) =>
      (
        [
          ['G1 Eden Space', 15728640, 20971520, -1, 0],
          ['G1 Old Gen', 248512512, 264241152, 4208984064, 57032704],
        ] as const
      ).map(
        ([pool, ...of]) =>
          `java_lang_GarbageCollector_LastGcInfo_memoryUsageAfterGc_${name} unknown {name=G1 Young Generation,key=${pool}} ${of[['init', 'committed', 'max', 'used'].indexOf(name)]}`,
      ),
    ),
    'java_lang_OperatingSystem_ProcessCpuLoad unknown {} 0.0014',
    'java_lang_OperatingSystem_OpenFileDescriptorCount unknown {} 71',
    'java_lang_Runtime_Uptime unknown {} 123456',
    'kafka_server_BrokerTopicMetrics_Count unknown {name=MessagesInPerSec} 4711',
    'kafka_server_BrokerTopicMetrics_Count unknown {name=MessagesInPerSec,topic=orders} 42',
    'kafka_server_BrokerTopicMetrics_OneMinuteRate unknown {name=MessagesInPerSec} 3.5',
    'kafka_server_BrokerTopicMetrics_OneMinuteRate unknown {name=MessagesInPerSec,topic=orders} 0',
  ]);
  t.same(dropped, { unreadable: 1, 'bean-gone': 1 });
  t.equal(families[0]?.help, 'JMX attribute java.lang<type=Memory><>ObjectPendingFinalizationCount');
  t.equal(asks.length, 1);
  t.match(asks[0], include.map((mbean) => ({ type: 'read', mbean, config: { ignoreErrors: true, canonicalNaming: false } }))); // prettier-ignore
});

test("jmx_exporter's rules: the first that matches decides", async (t) => {
  const { url } = await agent(t, fixture('read-jvm'));
  const rules = {
    lowercaseOutputName: true,
    lowercaseOutputLabelNames: true,
    whitelistObjectNames: include,
    rules: [
      {
        pattern: 'kafka.server<type=(.+), name=(.+)PerSec, topic=(.+)><>Count',
        name: 'kafka_server_$1_$2_total',
        type: 'COUNTER',
        labels: { Topic: '$3', empty: '', 'fixed-$2': 'x' },
        help: 'Of $3',
      },
      {
        pattern: 'kafka.server<type=(\\w+), name=(\\w+)><>Count',
        name: 'kafka_$2',
        type: 'COUNTER',
        cache: true,
      },
      {
        pattern: 'java.lang<type=Memory><HeapMemoryUsage>(used|max): (\\d+)',
        name: 'heap_$1_bytes',
        type: 'GAUGE',
      },
      {
        pattern: 'java.lang<type=Runtime><>Uptime',
        name: 'uptime_seconds',
        valueFactor: 0.001,
        attrNameSnakeCase: false,
      },
      { pattern: 'file.descriptor_count', attrNameSnakeCase: true },
      { pattern: '<>Arch: (\\w+?)(\\d+)$', name: 'arch_bits', value: '$2', labels: { cpu: '$1' } },
    ],
  };
  const { families } = await source(t, url, { rules }).collect(asked());
  t.same(lines(families), [
    'heap_max_bytes gauge {} 4208984064',
    'heap_used_bytes gauge {} 135135136',
    'java_lang_operatingsystem_open_file_descriptor_count unknown {} 71',
    'arch_bits unknown {cpu=amd} 64',
    'uptime_seconds unknown {} 123.456',
    'kafka_messagesinpersec_total counter {} 4711',
    'kafka_server_brokertopicmetrics_messagesin_total counter {topic=orders,fixed_messagesin=x} 42',
  ]);
  t.equal(families.at(-1)?.help, 'Of orders');
});

test('what is excluded is not even read', async (t) => {
  const { url, asks } = await agent(t, fixture('search'), fixture('read-names'));
  const rules = {
    includeObjectNames: ['java.lang:*', 'java.lang:type=Memory'],
    excludeObjectNames: ['java.lang:type=GarbageCollector,*'],
    excludeObjectNameAttributes: { 'java.lang:type=Mem*': ['Verbose'] },
    autoExcludeObjectNameAttributes: true,
    hostPort: 'localhost:9999',
  };
  const { families } = await source(t, url, { rules }).collect(asked());
  t.same(lines(families), [
    'java_lang_Memory_HeapMemoryUsage_max unknown {} 4208984064',
    'java_lang_Memory_HeapMemoryUsage_used unknown {} 135135136',
    'java_lang_Runtime_Uptime unknown {} 123456',
  ]);
  t.same(
    asks.map((bulk) => bulk.map(({ type, mbean }) => `${type} ${mbean}`)),
    [
      ['search java.lang:*', 'search java.lang:type=Memory'],
      ['read java.lang:type=Memory', 'read java.lang:type=Runtime'],
    ],
  );
});

test('failures: a policy, no Jolokia, no JSON, half an answer', async (t) => {
  const fails = async (answer: string, want: { class: string; message: RegExp }): Promise<void> => {
    const { url } = await agent(t, answer);
    await t.rejects(source(t, url, {}).collect(asked()), want);
  };
  await fails(fixture('read-refused'), {
    class: 'auth',
    message: /answered 403: .*forbidden by policy; check its policy/,
  });
  await fails(fixture('read-refused').replace('403', '500'), { class: 'status', message: /answered 500/ });
  await fails('{"status":404}', { class: 'parse', message: /no bulk answer of Jolokia; check the path/ });
  await fails('[{"value":{}}]', { class: 'parse', message: /no bulk answer/ });
  await fails(fixture('read-jvm').slice(0, 500), { class: 'parse', message: /answered no JSON/ });
});

test('startDelaySeconds', async (t) => {
  const { url, asks } = await agent(t, fixture('read-refused').replace('403', '404'));
  const clock = new FakeClock();
  const delayed = source(t, url, { rules: { startDelaySeconds: 10 } }, { clock });
  await t.rejects(delayed.collect(asked()), {
    class: 'unreachable',
    message: /startDelaySeconds has 10 s to go/,
  });
  await clock.advance(10_000);
  t.same(await delayed.collect(asked()), { families: [], dropped: { 'bean-gone': 1 } });
  t.equal(asks.length, 1);
});

test('the file of rules is read again when it changes, and a bad one is refused', async (t) => {
  const { url } = await agent(t, fixture('read-jvm'));
  const file = join(tempDir(t), 'rules.yml');
  const logged: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    write: (line) => void logged.push(line),
    wall: () => 0,
  });
  const from = source(t, url, { rulesFile: file }, { log });
  const names = async (): Promise<string[]> => (await from.collect(asked())).families.map(({ name }) => name);
  const rule = (name: string): string =>
    `includeObjectNames: ['a:*','b:*','c:*']\nrules:\n- pattern: Uptime\n  name: ${name}\n`;
  await t.rejects(names(), { class: 'internal', message: /rules\.yml cannot be used: .*ENOENT/ });
  writeFileSync(file, rule('one'));
  t.same(await names(), ['one']);
  writeFileSync(file, rule('other'));
  t.same(await names(), ['other']);
  writeFileSync(file, 'rules: [{ name: x }]');
  t.same(await names(), ['other']);
  t.same(await names(), ['other']);
  t.equal(logged.length, 1);
  t.match(logged[0], /refused.*needs a pattern/);
  t.throws(() => source(t, url, { rules: { rules: [{ name: 'x' }] } }), { code: 'CONFIG_INVALID' });
});
