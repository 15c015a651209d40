import { test } from 'tap';
import { readJmxConfig } from '../../src/jolokia/config.ts';
import { JmxRules } from '../../src/jolokia/rules.ts';
import type { PlainValue } from '../../src/jolokia/values.ts';

type Properties = [string, string][];

function ruled(rules: object[], options: object = {}) {
  const made = new JmxRules(readJmxConfig({ ...options, rules }));
  return (domain: string, properties: Properties, name: string, value: PlainValue, path: string[] = []) => {
    const sample = made.sample(domain, { properties, path, name, value });
    return sample && `${sample.name}{${sample.labels.map((pair) => pair.join('=')).join()}} ${sample.value}`;
  };
}

test('rules of the kinds that brokers and servers are given', (t) => {
  const sample = ruled(
    [
      {
        pattern: 'kafka.(.+)<type=app-info, client-id=(.+)><>(commit-id|version): (.+)',
        name: 'kafka_$1_$3_info',
        value: 1,
        labels: { client: '$2', $3: '$4' },
      },
      {
        pattern: '^Tomcat<type=(\\w+), name=\\"(.*)\\"><>maxTime:',
        name: 'tomcat_$1_max',
        labels: { worker: '$2' },
      },
      {
        pattern: 'cassandra<type=(\\S*)(?:, (keyspace|path)=(\\S*))?(?:, scope=(\\S*))?, name=(\\S*)><>Value',
        name: 'cassandra_$1_$5',
        labels: { $1: '$4', $2: '$3' },
      },
    ],
    { lowercaseOutputName: true, cacheRules: true },
  );
  t.equal(
    sample('kafka.producer', [['type', 'app-info'], ['client-id', 'p-1']], 'version', '3.7.0'), // prettier-ignore
    'kafka_producer_version_info{version=3.7.0,client=p-1} 1',
  );
  t.equal(
    sample('Tomcat', [['type', 'GlobalRequestProcessor'], ['name', '"http-8080"']], 'maxTime', 15), // prettier-ignore
    'tomcat_globalrequestprocessor_max{worker=http-8080} 15',
  );
  t.equal(
    sample('cassandra', [['type', 'Keyspace'], ['keyspace', 'system'], ['name', 'Pending']], 'Value', 4), // prettier-ignore
    'cassandra_keyspace_pending{keyspace=system} 4',
  );
  t.equal(
    sample('cassandra', [['type', 'Pools'], ['path', 'in'], ['scope', 'Gossip'], ['name', 'Tasks']], 'Value', 4), // prettier-ignore
    'cassandra_pools_tasks{Pools=Gossip,path=in} 4',
  );
  t.equal(sample('other', [['type', 'X']], 'Value', 1), undefined, 'no rule, no sample');
  t.end();
});

test('values: factors, booleans, texts, and what is none', (t) => {
  const sample = ruled([
    { pattern: 'Half', name: 'half', valueFactor: 0.5 },
    { pattern: 'Text: (\\d+) ms', name: 'text_seconds', value: '$1', valueFactor: 0.001 },
    { pattern: 'Text', name: 'never' },
    { pattern: 'Nameless', name: '', value: '1' },
    { pattern: '.*' },
  ]);
  const bean: Properties = [['type', 'T']];
  t.equal(sample('d', bean, 'Half', 3), 'half{} 1.5');
  t.equal(sample('d', bean, 'Half', true), 'half{} 1', 'a boolean has no factor');
  t.equal(sample('d', bean, 'Text', '250 ms'), 'text_seconds{} 0.25');
  t.equal(sample('d', bean, 'Text', 'soon'), undefined);
  t.equal(sample('d', bean, 'Nameless', 1), undefined);
  t.equal(sample('d.e', [['q', '"a b"'], ['1st', 'x']], '9-lives', 9, ['In']), 'd_e_a_b_In_9_lives{_1st=x} 9'); // prettier-ignore
  t.end();
});

test('cache: what a pattern found holds for a bean, whatever its value is later', (t) => {
  const sample = ruled([
    { pattern: 'State: (\\w+)', name: 'state', value: '1', labels: { state: '$1' }, cache: true },
  ]);
  const bean: Properties = [['type', 'T']];
  t.equal(sample('d', bean, 'State', 'up'), 'state{state=up} 1');
  t.equal(sample('d', bean, 'State', 'down'), 'state{state=up} 1');
  t.equal(sample('d', bean, 'Other', 1), undefined);
  t.equal(sample('d', bean, 'Other', 1), undefined);
  t.end();
});
