/** The Lease by which a daemon says that it is there: what is in it, without the writing. */

import { formatMicroTime } from '../api/time.ts';

export interface PresenceFacts {
  /** `host:port` or URL of the admin server. */
  readonly admin?: string | undefined;
  /** URL of the metrics page to scrape. */
  readonly scrape?: string | undefined;
  readonly version: string;
  /** The revision of the configuration applied last. */
  readonly revision?: string | undefined;
  readonly lastError?: string | undefined;
}

/** Seconds without a renewal after which readers take the daemon for gone: four renewals. */
const leaseSeconds = 40;

export const leases = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
} as const;

/** `outrigger-ROLE-INSTANCE`, made to fit the name syntax. */
export function leaseName(role: string, instance: string): string {
  const name = `outrigger-${role}-${instance}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .slice(0, 253);
  return name.replaceAll(/(^|\.)[^a-z0-9]+/g, '$1').replaceAll(/[^a-z0-9]+(\.|$)/g, '$1');
}

export interface Identity {
  readonly role: string;
  readonly instance: string;
  readonly namespace: string;
}

export function newLease(identity: Identity, facts: PresenceFacts, wallMs: number): object {
  const { metadata, spec } = renewal(identity, facts, wallMs);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: leaseName(identity.role, identity.instance),
      namespace: identity.namespace,
      ...metadata,
      annotations: withoutNull(metadata.annotations),
    },
    spec: { ...spec, acquireTime: spec.renewTime },
  };
}

/** As a merge patch: null takes an annotation away. */
export function renewal(
  identity: Identity,
  facts: PresenceFacts,
  wallMs: number,
): {
  metadata: { labels: Record<string, string>; annotations: Record<string, string | null> };
  spec: { holderIdentity: string; leaseDurationSeconds: number; renewTime: string };
} {
  return {
    metadata: {
      labels: { 'outrigger.dev/role': identity.role },
      annotations: {
        'outrigger.dev/admin': facts.admin ?? null,
        'outrigger.dev/scrape': facts.scrape ?? null,
        'outrigger.dev/version': facts.version,
        'outrigger.dev/revision': facts.revision ?? null,
        'outrigger.dev/last-error': facts.lastError ?? null,
      },
    },
    spec: {
      holderIdentity: identity.instance,
      leaseDurationSeconds: leaseSeconds,
      renewTime: formatMicroTime(wallMs),
    },
  };
}

function withoutNull(annotations: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
