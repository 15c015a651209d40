/** The metadata of managed slices: whose they are, and that they are ours. */

import type { EndpointSlice, KubernetesObject, OwnerReference } from '@outrigger/core/api';
import { equalJson } from '@outrigger/core/api';
import {
  headlessLabel,
  lastAppliedAnnotation,
  managedByLabel,
  serviceNameLabel,
  triggerTimeAnnotation,
} from '../names.ts';

export type AddressType = EndpointSlice['addressType'];

export interface SliceTemplate {
  readonly namespace: string;
  readonly serviceName: string;
  readonly manager: string;
  /** Whose labels, and for mirrored slices annotations, are taken over. */
  readonly source: KubernetesObject;
  readonly headless: boolean;
  readonly owner: OwnerReference;
  readonly copyAnnotations: boolean;
  /** Of the oldest change that this write makes known; undefined where there is none. */
  readonly triggerTime: string | undefined;
}

export function blankSlice(template: SliceTemplate, addressType: AddressType): EndpointSlice {
  const annotations = { ...copiedAnnotations(template), ...triggerAnnotation(template) };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${template.serviceName}-`,
      namespace: template.namespace,
      labels: labelsOf(template),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [template.owner],
    },
    addressType,
    endpoints: [],
    ports: [],
  };
}

/** Whether a slice is the template's as it is. The trigger time alone never makes a write. */
export function isDressed(template: SliceTemplate, { metadata }: EndpointSlice): boolean {
  const { [triggerTimeAnnotation]: _time, ...annotations } = metadata.annotations ?? {};
  return (
    equalJson(metadata.labels ?? {}, labelsOf(template)) &&
    (!template.copyAnnotations || equalJson(annotations, copiedAnnotations(template))) &&
    (metadata.ownerReferences ?? []).some(({ uid }) => uid === template.owner.uid)
  );
}

/** A slice that is going to be written, with the metadata it should have. */
export function dress(template: SliceTemplate, slice: EndpointSlice): EndpointSlice {
  const { [triggerTimeAnnotation]: _time, ...kept } = slice.metadata.annotations ?? {};
  const base = template.copyAnnotations ? copiedAnnotations(template) : kept;
  const owned = (slice.metadata.ownerReferences ?? []).some(({ uid }) => uid === template.owner.uid);
  return {
    ...slice,
    metadata: {
      ...slice.metadata,
      labels: labelsOf(template),
      annotations: { ...base, ...triggerAnnotation(template) },
      ...(owned ? {} : { ownerReferences: [template.owner] }),
    },
  };
}

function labelsOf({ source, headless, serviceName, manager }: SliceTemplate): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = source.metadata.labels ?? {};
  return {
    ...labels,
    ...(headless ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: serviceName,
    [managedByLabel]: manager,
  };
}

function copiedAnnotations({ copyAnnotations, source }: SliceTemplate): Record<string, string> {
  if (!copyAnnotations) return {};
  const {
    [triggerTimeAnnotation]: _time,
    [lastAppliedAnnotation]: _applied,
    ...copied
  } = source.metadata.annotations ?? {};
  return copied;
}

function triggerAnnotation({ triggerTime }: SliceTemplate): Record<string, string> {
  return triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime };
}
