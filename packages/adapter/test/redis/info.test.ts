import { test } from 'tap';
import { addHistograms, addLatest, addSlowest, addConfig } from '../../src/redis/answers.ts';
import { infoNumber, parseInfo, parsePairs } from '../../src/redis/info.ts';
import { addClusterInfo, addInfo, commandsOf, shownDatabases } from '../../src/redis/sections.ts';
import { FamilyBuilder } from '../../src/sources/families.ts';
import { samplesOf } from '../sources/page-text.ts';

function shown(text: string, databases?: number): Map<string, number> {
  const builder = new FamilyBuilder();
  const info = parseInfo(text);
  addInfo(builder, info, { commands: commandsOf(info), databases, wallMs: 1_000_000 });
  return samplesOf(builder.families());
}

test('INFO is sections of fields, whatever the line ends, and says what it could not read', (t) => {
  const { sections, unread } = parseInfo(
    '# Server\r\nos:Linux: x\r\n\r\n# Memory\nused_memory:5\nnonsense\n:x\n',
  );
  t.same([...sections.keys()], ['server', 'memory']);
  t.same(sections.get('server'), [{ key: 'os', value: 'Linux: x' }]);
  t.equal(unread, 2);
  t.end();
});

test('numbers are what Redis writes, and nothing else is taken for one', (t) => {
  t.same(['1', '-1', '1.50', 'ok', 'err', 'fail'].map(infoNumber), [1, -1, 1.5, 1, 0, 0]);
  t.same(['', '0x10', '1K', '50%', 'up', '1 2'].map(infoNumber), Array(6).fill(undefined));
  t.equal(infoNumber('inf'), Infinity);
  t.ok(Number.isNaN(infoNumber('-nan')));
  t.same(
    [...parsePairs('a=1,b,=2,c=x=y')],
    [
      ['a', '1'],
      ['c', 'x=y'],
    ],
  );
  t.end();
});

test('a known field whose value is no number is counted, an unknown one is not', (t) => {
  const builder = new FamilyBuilder();
  const info = parseInfo('# Memory\nused_memory:much\nmaxmemory:3\nused_memory_human:1K\n');
  t.equal(addInfo(builder, info, { commands: new Map(), databases: 1, wallMs: 0 }), 1);
  t.same([...samplesOf(builder.families())], [['redis_memory_max_bytes', 3]]);
  t.end();
});

test('the sections with rows of their own', (t) => {
  const samples = shown(
    [
      '# Replication',
      'role:slave',
      'master_host:10.0.0.1',
      'master_port:6379',
      'master_link_status:down',
      'master_last_io_seconds_ago:-1',
      'slave_repl_offset:7',
      'slave_read_only:1',
      'slave0:ip=::1,port=1,state=online,offset=5,lag=-1',
      '# Commandstats',
      'cmdstat_client|setname:calls=2,usec=5,usec_per_call=2.50,rejected_calls=1,failed_calls=0',
      'cmdstat_broken:calls=x',
      '# Errorstats',
      'errorstat_WRONG"TYPE:count=3',
      '# Latencystats',
      'latency_percentiles_usec_client|setname:p99.9=4,p50=1,bad=9',
      '# Keyspace',
      'db0:keys=3,expires=1,avg_ttl=1500,subexpiry=0',
      'db7:keys=1,expires=0,avg_ttl=0,cached_keys=1',
    ].join('\r\n'),
    2,
  );
  const primary = 'master_host="10.0.0.1",master_port="6379"';
  const replica = 'slave_ip="::1",slave_port="1",slave_state="online"';
  t.equal(samples.get(`redis_master_link_up{${primary}}`), 0);
  t.equal(samples.get(`redis_master_last_io_seconds_ago{${primary}}`), -1);
  t.equal(samples.get(`redis_slave_repl_offset{${primary}}`), 7);
  t.equal(samples.get(`redis_connected_slave_offset_bytes{${replica}}`), 5);
  t.notOk(samples.has(`redis_connected_slave_lag_seconds{${replica}}`), 'never heard of is no lag');
  t.equal(samples.get('redis_commands_duration_seconds_total{cmd="client|setname"}'), 0.000005);
  t.equal(samples.get('redis_commands_rejected_calls_total{cmd="client|setname"}'), 1);
  t.notOk(samples.has('redis_commands_total{cmd="broken"}'));
  t.equal(samples.get('redis_errors_total{err="WRONG"TYPE"}'), 3);
  t.equal(samples.get('redis_latency_percentiles_seconds{cmd="client|setname",quantile="0.999"}'), 0.000004);
  t.equal(samples.get('redis_latency_percentiles_seconds_count{cmd="client|setname"}'), 2);
  t.equal(samples.get('redis_db_avg_ttl_seconds{db="db0"}'), 1.5);
  t.equal(samples.get('redis_db_keys{db="db1"}'), 0, 'a database without keys is shown');
  t.equal(samples.get('redis_db_keys{db="db7"}'), 1);
  t.equal(samples.get('redis_db_keys_cached{db="db7"}'), 1);
  t.end();
});

test('databases beyond the limit are shown only with keys in them', (t) => {
  const samples = shown('# Keyspace\ndb900:keys=1,expires=0,avg_ttl=0\n', 1000);
  t.equal([...samples.keys()].filter((key) => key.startsWith('redis_db_keys{')).length, shownDatabases + 1);
  t.end();
});

test('the start does not move with the time of the scrape where the server tells its own', (t) => {
  t.equal(
    shown('# Server\nserver_time_usec:5999999\nuptime_in_seconds:2\n').get('redis_start_time_seconds'),
    3,
  );
  t.equal(shown('# Server\nuptime_in_seconds:2\n').get('redis_start_time_seconds'), 998);
  t.end();
});

test('a Sentinel shows its primaries', (t) => {
  const samples = shown(
    '# Sentinel\nsentinel_masters:1\nmaster0:name=m,status=sdown,address=1.2.3.4:5,slaves=2,sentinels=3\n',
  );
  const labels = 'master_address="1.2.3.4:5",master_name="m"';
  t.equal(samples.get('redis_sentinel_masters'), 1);
  t.equal(samples.get(`redis_sentinel_master_status{${labels},master_status="sdown"}`), 0);
  t.equal(samples.get(`redis_sentinel_master_sentinels{${labels}}`), 3);
  t.end();
});

test('CLUSTER INFO keeps its names, and what is no metric name stays out', (t) => {
  const builder = new FamilyBuilder();
  addClusterInfo(
    builder,
    'cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_x y:1\r\nother:1\r\n' +
      'cluster_stats_messages_sent:4\r\n',
  );
  t.same(Object.fromEntries(samplesOf(builder.families())), {
    redis_cluster_state: 1,
    redis_cluster_slots_assigned: 16384,
    redis_cluster_messages_sent_total: 4,
  });
  t.end();
});

test('histograms have the same buckets at every scrape, in seconds, and end at the count', (t) => {
  const info = parseInfo('# Commandstats\ncmdstat_get:calls=6,usec=80,usec_per_call=1\n');
  const builder = new FamilyBuilder();
  // The last command says nothing that can be read.
  addHistograms(
    builder,
    ['get', ['calls', 6, 'histogram_usec', [2, 1, 8, 5]], 'set', 'x', 'lpush', ['calls', 'many']],
    commandsOf(info),
  );
  const [family, ...more] = builder.families();
  t.same(more, []);
  const buckets = (family?.samples ?? []).filter(({ suffix }) => suffix === '_bucket');
  t.equal(buckets.length, 11);
  const of = (le: string) => buckets.find(({ labels }) => labels.some(([, value]) => value === le))?.value;
  t.same(['0.000001', '0.000004', '0.000016', '0.270532', '+Inf'].map(of), [0, 1, 5, 5, 6]);
  t.same(
    buckets.map(({ value }) => value),
    buckets.map(({ value }) => value).sort((a, b) => a - b),
  );
  t.equal(samplesOf(builder.families()).get('redis_commands_latencies_seconds_sum{cmd="get"}'), 0.00008);
  t.end();
});

test('answers of another shape than expected are left out', (t) => {
  const builder = new FamilyBuilder();
  for (const answer of [undefined, null, 'x', 5, [], [[]], [['a']], ['a', 'b', 'c'], [[['a']]]]) {
    addLatest(builder, answer);
    addHistograms(builder, answer, new Map());
    addConfig(builder, answer);
  }
  addSlowest(builder, 'x');
  t.same(builder.families(), []);
  t.end();
});

test('CONFIG and SLOWLOG', (t) => {
  const builder = new FamilyBuilder();
  const limits = 'normal 0 0 0 slave 9 8 60 pubsub 1';
  addConfig(builder, ['maxclients', '10', 'io-threads', '2', 'client-output-buffer-limit', limits]);
  addSlowest(builder, [[14, 1_700_000_000, 15_000, ['GET']]]);
  const samples = samplesOf(builder.families());
  t.equal(samples.get('redis_config_maxclients'), 10);
  t.equal(samples.get('redis_config_io_threads'), 2);
  t.equal(samples.get('redis_config_client_output_buffer_limit_bytes{class="slave",limit="soft"}'), 8);
  t.equal(
    samples.get('redis_config_client_output_buffer_limit_overcome_seconds{class="slave",limit="soft"}'),
    60,
  );
  t.equal(samples.get('redis_slowlog_last_id'), 14);
  t.equal(samples.get('redis_last_slow_execution_duration_seconds'), 0.015);
  t.end();
});
