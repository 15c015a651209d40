/** Rules of the kinds that need only a few: ConfigMap, Namespace, Lease, Event, Node. */

import { equalJson } from '../equal.ts';
import { cidrProblems } from '../ip.ts';
import { validateFinalizers } from '../metadata.ts';
import { configKey, labelValue, qualifiedName } from '../names.ts';
import { child, forbidden, invalid, invalidBy, item, notSupported, required, tooLong } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { ConfigMap } from '../kinds/configmap.ts';
import type { Event } from '../kinds/event.ts';
import type { Lease } from '../kinds/lease.ts';
import type { Namespace } from '../kinds/namespace.ts';
import type { Node } from '../kinds/node.ts';

/** All values of a ConfigMap together; etcd and watch clients were built for objects of this size. */
export const maxConfigMapBytes = 1024 * 1024;
const eventFieldBytes = 128;
const eventMessageBytes = 1_024;

export function validateConfigMap(map: ConfigMap, old: ConfigMap | undefined): FieldError[] {
  const data = Object.entries(map.data ?? {});
  const binary = Object.entries(map.binaryData ?? {});
  const bytes =
    data.reduce((sum, [, value]) => sum + Buffer.byteLength(value), 0) +
    binary.reduce((sum, [, value]) => sum + Buffer.byteLength(value, 'base64'), 0);
  const both = data.filter(([key]) => Object.hasOwn(map.binaryData ?? {}, key));
  return [
    ...data.flatMap(([key]) => invalidBy(item('data', key), key, configKey(key))),
    ...both.map(([key]) => invalid(item('data', key), key, 'duplicate of key present in binaryData')),
    ...binary.flatMap(([key]) => invalidBy(item('binaryData', key), key, configKey(key))),
    ...(bytes > maxConfigMapBytes ? [tooLong('', maxConfigMapBytes)] : []),
    ...(old?.immutable === true ? frozenChanges(map, old) : []),
  ];
}

function frozenChanges(map: ConfigMap, old: ConfigMap): FieldError[] {
  const detail = 'field is immutable when `immutable` is set';
  const changed = (['data', 'binaryData'] as const).filter(
    (field) => !equalJson(map[field] ?? {}, old[field] ?? {}),
  );
  return [
    ...(map.immutable === true ? [] : [forbidden('immutable', detail)]),
    ...changed.map((field) => forbidden(field, detail)),
  ];
}

export function validateNamespace(namespace: Namespace): FieldError[] {
  return validateFinalizers(namespace.spec.finalizers ?? [], 'spec.finalizers');
}

export function validateLease(lease: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, holderIdentity } = lease.spec;
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (lease.spec.preferredHolder !== undefined && lease.spec.strategy === undefined) {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(forbidden('spec.preferredHolder', detail));
  }
  return holderIdentity === undefined || holderIdentity.trim() !== ''
    ? errors
    : [...errors, invalid('spec.holderIdentity', holderIdentity, 'must not be empty')];
}

export function validateEvent(event: Event): FieldError[] {
  const place = event.involvedObject.namespace ?? '';
  const here = event.metadata.namespace ?? '';
  // Events about cluster-wide objects live in the default namespace.
  const matches = place === '' ? here === 'default' || here === '' : place === here;
  const errors = matches
    ? []
    : [invalid('involvedObject.namespace', place, 'does not match event.namespace')];
  return event.eventTime === undefined ? errors : [...errors, ...validateNewEvent(event)];
}

/** Events with an `eventTime` follow the rules of the newer events API. */
function validateNewEvent(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const reporter = event.reportingComponent ?? '';
  if (reporter === '') errors.push(required('reportingComponent'));
  else errors.push(...invalidBy('reportingComponent', reporter, qualifiedName(reporter)));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field] ?? '';
    if (value === '') errors.push(required(field));
    else if (Buffer.byteLength(value) > eventFieldBytes) errors.push(tooLong(field, eventFieldBytes));
  }
  if (Buffer.byteLength(event.message ?? '') > eventMessageBytes)
    errors.push(tooLong('message', eventMessageBytes));
  const types = ['Normal', 'Warning'];
  return types.includes(event.type ?? '')
    ? errors
    : [...errors, notSupported('type', event.type ?? '', types)];
}

export function validateNode(node: Node, old: Node | undefined): FieldError[] {
  const { podCIDRs, taints, providerID } = node.spec;
  return [
    ...(podCIDRs ?? []).flatMap((cidr, index) =>
      invalidBy(item('spec.podCIDRs', index), cidr, cidrProblems(cidr)),
    ),
    ...(taints ?? []).flatMap((taint, index) => validateTaint(taint, item('spec.taints', index))),
    ...(old === undefined ? [] : nodeChanges(node, old, providerID)),
  ];
}

function validateTaint(taint: { key: string; value?: string }, path: string): FieldError[] {
  return [
    ...invalidBy(child(path, 'key'), taint.key, qualifiedName(taint.key)),
    ...invalidBy(child(path, 'value'), taint.value ?? '', labelValue(taint.value ?? '')),
  ];
}

/** Pods and routes were built on these: a machine with another identity or range is another node. */
function nodeChanges(node: Node, old: Node, providerID: string | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if ((old.spec.podCIDRs?.length ?? 0) > 0 && !equalJson(node.spec.podCIDRs, old.spec.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old.spec.providerID !== undefined && providerID !== old.spec.providerID) {
    errors.push(
      forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'),
    );
  }
  return errors;
}
