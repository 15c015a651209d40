import {
  configMapKind,
  eventKind,
  leaseKind,
  maxConfigMapBytes,
  namespaceKind,
  nodeKind,
} from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { named, problems, where } from '../fixtures.ts';

const eventOf = (fields: Loose, namespace = 'default'): Loose =>
  named({ involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' }, ...fields }, { namespace });
const now = '2026-01-02T03:04:05.000000Z';
const newEvent = {
  eventTime: now,
  reportingComponent: 'example.com/probe',
  reportingInstance: 'web-0',
  action: 'Probing',
  reason: 'Unhealthy',
  type: 'Warning',
};

test('ConfigMap: keys, sizes and overlap', (t) => {
  const of = (fields: Loose): string[] => where(problems(configMapKind, named(fields)));
  t.same(of({ data: { 'a.yaml': 'x', _b: '' }, binaryData: { c: 'AAE=' } }), []);
  t.same(of({ data: { 'a/b': 'x' } }), ['Invalid data[a/b]']);
  t.same(of({ binaryData: { '..': 'AA==' } }).slice(0, 1), ['Invalid binaryData[..]']);
  t.same(of({ binaryData: { a: '?' } }), ['TypeInvalid binaryData[a]']);
  t.same(of({ data: { a: 'x' }, binaryData: { a: 'AA==' } }), ['Invalid data[a]']);
  t.same(of({ data: { a: 1 } }), ['TypeInvalid data[a]']);
  t.same(of({ data: { a: 'x'.repeat(maxConfigMapBytes) } }), []);
  t.same(of({ data: { a: 'x'.repeat(maxConfigMapBytes), b: 'y' } }), ['TooLong ']);
  t.end();
});

test('ConfigMap: an immutable one stays as it is', (t) => {
  const old = named({ immutable: true, data: { a: '1' } });
  t.same(problems(configMapKind, named({ immutable: true, data: { a: '1' } }), old), []);
  t.same(problems(configMapKind, named({ data: { a: '2' }, binaryData: { b: 'AA==' } }), old), [
    'Forbidden immutable: Forbidden: field is immutable when `immutable` is set',
    'Forbidden data: Forbidden: field is immutable when `immutable` is set',
    'Forbidden binaryData: Forbidden: field is immutable when `immutable` is set',
  ]);
  t.same(problems(configMapKind, old, named({ data: { a: '2' } })), []);
  t.end();
});

test('Namespace: finalizers are names', (t) => {
  const of = (finalizers: string[]): string[] =>
    where(problems(namespaceKind, { metadata: { name: 'a' }, spec: { finalizers } }));
  t.same(of(['kubernetes', 'example.com/a']), []);
  t.same(of(['mine']), ['Invalid spec.finalizers[0]']);
  t.end();
});

test('Lease: durations, transitions and holders', (t) => {
  const of = (spec: Loose): string[] => where(problems(leaseKind, named({ spec })));
  t.same(of({ holderIdentity: 'a', leaseDurationSeconds: 40, renewTime: now, leaseTransitions: 0 }), []);
  t.same(of({ leaseDurationSeconds: 0 }), ['Invalid spec.leaseDurationSeconds']);
  t.same(of({ leaseTransitions: -1 }), ['Invalid spec.leaseTransitions']);
  t.same(of({ holderIdentity: ' ' }), ['Invalid spec.holderIdentity']);
  t.same(of({ preferredHolder: 'a' }), ['Forbidden spec.preferredHolder']);
  t.same(of({ preferredHolder: 'a', strategy: 'OldestEmulationVersion' }), []);
  t.same(of({ renewTime: 'soon' }), ['TypeInvalid spec.renewTime']);
  t.end();
});

test('Event: lives where its object lives', (t) => {
  const of = (object: Loose): string[] => where(problems(eventKind, object));
  t.same(of(eventOf({})), []);
  t.same(of(eventOf({}, 'other')), ['Invalid involvedObject.namespace']);
  t.same(of(eventOf({ involvedObject: { kind: 'Node', name: 'n' } })), []);
  t.same(of(eventOf({ involvedObject: { kind: 'Node', name: 'n' } }, 'other')), [
    'Invalid involvedObject.namespace',
  ]);
  t.same(of(named({})), ['Required involvedObject']);
  t.end();
});

test('Event: with an eventTime it says who, what and why', (t) => {
  const of = (fields: Loose): string[] => where(problems(eventKind, eventOf({ ...newEvent, ...fields })));
  t.same(of({}), []);
  t.same(of({ reportingComponent: '', reportingInstance: '', action: '', reason: '' }), [
    'Required reportingComponent',
    'Required reportingInstance',
    'Required action',
    'Required reason',
  ]);
  t.same(of({ reportingComponent: 'a b' }), ['Invalid reportingComponent']);
  t.same(of({ action: 'x'.repeat(129) }), ['TooLong action']);
  t.same(of({ message: 'x'.repeat(1_025) }), ['TooLong message']);
  t.same(of({ type: 'Info' }), ['NotSupported type']);
  t.end();
});

test('Node: ranges, taints and identity', (t) => {
  const of = (spec: Loose, old?: Loose): string[] => {
    const node = (fields: Loose): Loose => ({ metadata: { name: 'n' }, spec: fields });
    return where(problems(nodeKind, node(spec), old === undefined ? undefined : node(old)));
  };
  t.same(of({ podCIDRs: ['10.0.0.0/24', 'fd00::/64'], taints: [{ key: 'a/b', effect: 'NoSchedule' }] }), []);
  t.same(of({ podCIDRs: ['x'] }), ['Invalid spec.podCIDRs[0]']);
  t.same(of({ taints: [{ key: 'a b', value: '-', effect: 'NoSchedule' }] }), [
    'Invalid spec.taints[0].key',
    'Invalid spec.taints[0].value',
  ]);
  t.same(of({ taints: [{ key: 'a', effect: 'Sometimes' }] }), ['NotSupported spec.taints[0].effect']);
  t.same(of({ podCIDRs: ['10.0.0.0/24'], providerID: 'x' }, {}), []);
  t.same(of({ podCIDRs: ['10.0.1.0/24'], providerID: 'y' }, { podCIDRs: ['10.0.0.0/24'], providerID: 'x' }), [
    'Forbidden spec.podCIDRs',
    'Forbidden spec.providerID',
  ]);
  t.end();
});
