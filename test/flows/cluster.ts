/** A case as the proxy sees it: a catalog filled through the projections, and the context of its node. */

import {
  canonicalCidr,
  canonicalIp,
  Catalog,
  projectNode,
  projectPolicy,
  projectService,
  projectSlice,
} from '../../packages/proxy/src/catalog/index.ts';
import type { CatalogChange } from '../../packages/proxy/src/catalog/index.ts';
import { DEFAULT_SETTINGS } from '../../packages/proxy/src/plan/index.ts';
import type { Mode, PlanContext } from '../../packages/proxy/src/plan/index.ts';
import type { FlowCase, FlowObject } from './types.ts';

export function catalogOf(objects: readonly FlowObject[]): Catalog {
  const catalog = new Catalog();
  catalog.apply(objects.map(toChange));
  return catalog;
}

export function contextOf({ node }: Pick<FlowCase, 'node'>, mode: Mode): PlanContext {
  const ips = (texts: readonly string[]): string[] => texts.map((text) => canonicalIp(text)?.address ?? text);
  const cidrs = (texts: readonly string[]): string[] =>
    texts.map((text) => canonicalCidr(text)?.address ?? text);
  return {
    mode,
    nodeName: node.name,
    zone: node.zone,
    podCIDRs: cidrs(node.podCIDRs),
    serviceCIDRs: cidrs(node.serviceCIDRs),
    nodeAddresses: ips(node.addresses),
    nodePortAddresses: ips(node.nodePortAddresses),
    masqueradeAll: node.masqueradeAll,
    defaults: DEFAULT_SETTINGS,
  };
}

export function toChange(object: FlowObject): CatalogChange {
  const { kind, metadata } = object;
  const key = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  switch (kind) {
    case 'Service':
      return { kind, key, record: projectService(object) };
    case 'EndpointSlice':
      return { kind, key, record: projectSlice(object) };
    case 'TrafficPolicy':
      return { kind, key, record: projectPolicy(object) };
    case 'Node':
      return { kind, key, record: projectNode(object) };
    default:
      throw new Error(`${kind} ${key}: the proxy does not watch this kind`);
  }
}
