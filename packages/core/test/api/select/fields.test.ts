import {
  configMapKind,
  eventKind,
  kinds,
  parseFieldSelector,
  podKind,
  selectableValues,
  serviceKind,
} from '@outrigger/core/api';
import { test } from 'tap';
import { admitted, named, pod, service } from '../fixtures.ts';

const running = selectableValues(
  podKind,
  admitted(podKind, { ...pod({ nodeName: 'n1' }), status: { phase: 'Running', podIP: '10.0.0.1' } }),
);

const rows: [string, boolean][] = [
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==web', true],
  ['metadata.name=other', false],
  ['metadata.namespace=default,spec.nodeName=n1', true],
  ['metadata.namespace=default,spec.nodeName=n2', false],
  ['status.phase!=Running', false],
  ['status.phase!=Failed,status.podIP=10.0.0.1', true],
  ['status.nominatedNodeName=', true],
  ['spec.nodeName!=', true],
  ['metadata.name=web,', true],
];

for (const [text, want] of rows) {
  test(`pod ${want ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, (t) => {
    const selector = parseFieldSelector(text, podKind);
    t.equal(selector.matches(running), want);
    t.equal(parseFieldSelector(selector.toString(), podKind).matches(running), want);
    t.equal(selector.empty, text === '');
    t.end();
  });
}

test('values may hold what separates terms, behind a backslash', (t) => {
  const event = admitted(eventKind, named({ involvedObject: {}, reason: 'a=b,c\\d' }));
  const selector = parseFieldSelector('reason=a\\=b\\,c\\\\d', eventKind);
  t.ok(selector.matches(selectableValues(eventKind, event)));
  t.equal(selector.toString(), 'reason=a\\=b\\,c\\\\d');
  t.end();
});

test('a selector knows the one value it leaves possible', (t) => {
  const selector = parseFieldSelector('metadata.name=web,status.phase!=Failed', podKind);
  t.equal(selector.exact('metadata.name'), 'web');
  t.equal(selector.exact('status.phase'), undefined);
  t.end();
});

test('each kind offers its own fields', (t) => {
  const unsupported = (field: string) => ({
    code: 'API_BAD_REQUEST',
    message: `field label not supported: ${field}`,
  });
  t.throws(() => parseFieldSelector('status.phase=x', configMapKind), unsupported('status.phase'));
  t.throws(() => parseFieldSelector('spec.ports=x', serviceKind), unsupported('spec.ports'));
  t.throws(() => parseFieldSelector('toString=x', serviceKind), unsupported('toString'));
  const values = selectableValues(serviceKind, admitted(serviceKind, service({ clusterIP: '10.96.0.1' })));
  t.ok(parseFieldSelector('spec.clusterIP=10.96.0.1,spec.type=ClusterIP', serviceKind).matches(values));
  t.end();
});

test('what cannot be understood is refused', (t) => {
  for (const text of ['metadata.name', 'metadata.name<x', 'metadata.name=a=b', 'metadata.name=a\\b', '=']) {
    t.throws(() => parseFieldSelector(text, podKind), { code: 'API_BAD_REQUEST' }, text);
  }
  t.throws(() => parseFieldSelector('a,b', podKind), {
    message: "invalid selector: 'a,b'; can't understand 'a'",
  });
  t.end();
});

test('every selectable field of every kind reads objects that hold nothing', (t) => {
  for (const kind of kinds) {
    const bare = { metadata: {}, spec: { type: 'ClusterIP' }, involvedObject: {} };
    for (const [field, read] of Object.entries(kind.selectableFields))
      t.type(read(bare), 'string', `${kind.kind} ${field}`);
  }
  t.end();
});

test('fields of an Event and a Pod fall back where clients expect it', (t) => {
  const event = admitted(
    eventKind,
    named({ involvedObject: { kind: 'Pod', name: 'web' }, reportingComponent: 'probe' }),
  );
  t.match(selectableValues(eventKind, event).fields, {
    source: 'probe',
    'involvedObject.kind': 'Pod',
    type: '',
  });
  const dual = admitted(podKind, { ...pod(), status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.2' }] } });
  t.match(selectableValues(podKind, dual).fields, {
    'status.podIP': '10.0.0.2',
    'spec.hostNetwork': 'false',
  });
  t.end();
});
