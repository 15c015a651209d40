import type { MetricFamily } from '@outrigger/core/exposition';
import { testDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import type { Test } from 'tap';
import { freePort, needs, startProcess, startRedis, toolPath } from '../../../../test/harness/index.ts';
import type { Redis, ToolName } from '../../../../test/harness/index.ts';
import { redisSource } from '../../src/redis/source.ts';
import { samplesOf, samplesOfText, typesOfText } from '../sources/page-text.ts';

/** Its own, or of options it does not have here. */
const notOurs = /^redis_exporter_|^redis_target_scrape_|^redis_last_key_groups_scrape_/;
/** Names of ours where its name is no valid one of its kind (docs/adapter-sources.md). */
const renamed: Readonly<Record<string, string>> = {
  redis_dump_payload_sanitizations: 'redis_dump_payload_sanitizations_total',
  redis_io_threaded_reads_processed: 'redis_io_threaded_reads_processed_total',
  redis_io_threaded_writes_processed: 'redis_io_threaded_writes_processed_total',
  redis_total_error_replies: 'redis_error_replies_total',
  redis_total_reads_processed: 'redis_reads_processed_total',
  redis_total_writes_processed: 'redis_writes_processed_total',
  redis_unexpected_error_replies: 'redis_unexpected_error_replies_total',
  redis_migrate_cached_sockets_total: 'redis_migrate_cached_sockets',
  redis_latency_percentiles_usec: 'redis_latency_percentiles_seconds',
  redis_latency_percentiles_usec_sum: 'redis_latency_percentiles_seconds_sum',
  redis_latency_percentiles_usec_count: 'redis_latency_percentiles_seconds_count',
  redis_commands_latencies_usec_bucket: 'redis_commands_latencies_seconds_bucket',
  redis_commands_latencies_usec_sum: 'redis_commands_latencies_seconds_sum',
  redis_commands_latencies_usec_count: 'redis_commands_latencies_seconds_count',
};
const quantiles: Readonly<Record<string, string>> = { '50': '0.5', '99': '0.99', '99.9': '0.999' };

async function ours(t: Test, redis: Redis): Promise<readonly MetricFamily[]> {
  const place = { address: redis.address, labels: {} };
  const source = redisSource({ address: redis.address, latencyHistograms: true }, place, testDeps());
  t.teardown(() => source.close());
  const { families } = await source.collect({ signal: AbortSignal.timeout(10_000), leftMs: 10_000 });
  return families;
}

async function theirs(t: Test, redis: Redis): Promise<string> {
  const port = await freePort();
  const args = [`-web.listen-address=127.0.0.1:${port}`, `-redis.addr=redis://${redis.address}`];
  await startProcess(t, toolPath('prometheus-redis-exporter'), args, { ready: { port } });
  // Once for what its own commands leave behind, once to compare.
  await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/** As ours is named. */
function translated(key: string): string {
  const brace = key.indexOf('{');
  const name = brace < 0 ? key : key.slice(0, brace);
  const labels =
    brace < 0
      ? ''
      : key.slice(brace).replace(/quantile="([\d.]+)"/, (all, quantile: string) => {
          return quantile in quantiles ? `quantile="${quantiles[quantile]}"` : all;
        });
  return (renamed[name] ?? name) + labels;
}

/** Differs by the time and by the version of the exporter, not by the server. */
const info = /^redis_(instance_info|slave_info)\{/;

async function compare(t: Test, redis: Redis): Promise<void> {
  const page = await theirs(t, redis);
  const families = await ours(t, redis);
  const mine = samplesOf(families);
  const missing = [...samplesOfText(page).keys()]
    .filter((key) => key.startsWith('redis_') && !notOurs.test(key) && !info.test(key))
    .map(translated)
    .filter((key) => !mine.has(key));
  t.same(missing, [], 'every name with every label of the exporter is here');

  const types = new Map(families.map(({ name, type }) => [name, type]));
  const known = [...typesOfText(page)].filter(([name]) => name.startsWith('redis_') && !notOurs.test(name));
  const otherwise = known.filter(([name, type]) => {
    const our = types.get(renamed[name] ?? name);
    return our !== undefined && our !== type && our !== 'info' && renamed[name] === undefined;
  });
  const counters = otherwise.filter(([name, type]) => type === 'gauge' && name.endsWith('_total'));
  t.same(otherwise, counters, 'with its type, but for counters that it calls gauges');
}

function labelsOf(families: readonly MetricFamily[], name: string): string[] {
  const labels = families.find((family) => family.name === name)?.samples[0]?.labels ?? [];
  return labels.map(([label]) => label).sort();
}

/** Something of everything, so that there is something to compare. */
async function exercise(redis: Redis): Promise<void> {
  await redis.cli('SET', 'k', 'v', 'EX', '1000');
  await redis.cli('-n', '3', 'SET', 'k', 'v');
  await redis.cli('LPUSH', 'k', 'x');
  await redis.cli('NOSUCH');
  await redis.cli('CONFIG', 'SET', 'latency-monitor-threshold', '1');
  await redis.cli('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  await redis.cli('EVAL', 'for i = 1, 3000000 do end return 1', '0');
}

const oracle = needs('redis-server', 'redis-cli', 'prometheus-redis-exporter');

test('a primary shows every name and label of redis_exporter', oracle, async (t) => {
  const primary = await startRedis(t);
  const replica = await startRedis(t, { replicaOf: primary });
  await exercise(primary);
  await primary.cli('WAIT', '1', '5000');
  await compare(t, primary);
  await compare(t, replica);
  const families = await ours(t, replica);
  t.same(labelsOf(families, 'redis_slave_info'), ['master_host', 'master_port', 'read_only']);
  const instance = ['maxmemory_policy', 'os', 'process_id', 'redis_build_id', 'redis_mode', 'redis_version'];
  t.same(
    labelsOf(families, 'redis_instance_info'),
    [...instance, 'role', 'run_id', 'tcp_port', 'master_replid'].sort(),
  );
});

test('a member of a cluster', oracle, async (t) => {
  const redis = await startRedis(t, { config: { 'cluster-enabled': 'yes' } });
  await compare(t, redis);
  t.equal(samplesOf(await ours(t, redis)).get('redis_cluster_state'), 0);
});

test('values are those of the server', needs('redis-server', 'redis-cli'), async (t) => {
  const redis = await startRedis(t, { config: { maxclients: '77', maxmemory: '50mb' } });
  await exercise(redis);
  const samples = samplesOf(await ours(t, redis));
  t.equal(samples.get('redis_up'), 1);
  t.equal(samples.get('redis_config_maxclients'), 77);
  t.equal(samples.get('redis_memory_max_bytes'), 50 * 1024 * 1024);
  t.equal(samples.get('redis_db_keys{db="db3"}'), 1);
  t.equal(samples.get('redis_commands_total{cmd="set"}'), 2);
  t.equal(samples.get('redis_errors_total{err="WRONGTYPE"}'), 1);
  t.ok((samples.get('redis_last_slow_execution_duration_seconds') ?? 0) >= 0);
  t.ok((samples.get('redis_slowlog_length') ?? 0) > 0);
  t.ok((samples.get('redis_commands_latencies_seconds_count{cmd="eval"}') ?? 0) === 1);
});

for (const program of ['redis-8', 'valkey-8', 'valkey-9'] as const satisfies readonly ToolName[]) {
  test(`${program} is read without a word too many`, needs(program, 'redis-cli'), async (t) => {
    const redis = await startRedis(t, { program });
    await exercise(redis);
    const source = redisSource(
      { address: redis.address, latencyHistograms: true },
      { address: redis.address, labels: {} },
      testDeps(),
    );
    t.teardown(() => source.close());
    const asked = { signal: AbortSignal.timeout(10_000), leftMs: 10_000 };
    const { families, dropped } = await source.collect(asked);
    t.same(dropped, {}, 'nothing was refused, nothing unread');
    const samples = samplesOf(families);
    t.equal(samples.get('redis_commands_total{cmd="set"}'), 2);
    t.equal(samples.get('redis_commands_latencies_seconds_count{cmd="set"}'), 2);
  });
}
