/** Pools of made-up endpoints, for the tests of balancing. */

import { endpointKey } from '../../src/catalog/index.ts';
import type { Endpoint } from '../../src/catalog/index.ts';
import { DEFAULT_SETTINGS } from '../../src/plan/index.ts';
import type { Pool, TrafficSettings } from '../../src/plan/index.ts';

export function fakeEndpoint(address: string, more: Partial<Endpoint> = {}): Endpoint {
  return {
    key: endpointKey(address, 80),
    address,
    port: 80,
    local: false,
    ready: true,
    serving: true,
    terminating: false,
    node: '',
    zone: '',
    nodeHints: [],
    zoneHints: [],
    target: '',
    ...more,
  };
}

/** `a b c`: one endpoint each, `a:80`. */
export function fakePool(names: string, settings: Partial<TrafficSettings> = {}, affinitySeconds = 0): Pool {
  const endpoints = names
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => fakeEndpoint(name));
  return { endpoints, affinitySeconds, settings: { ...DEFAULT_SETTINGS, ...settings } };
}
