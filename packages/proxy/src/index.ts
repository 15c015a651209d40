/** The Service load balancer. */

import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { hostname } from 'node:os';
import { parseProxyConfig, proxyChecks, proxySchema } from './daemon/config.ts';
import type { ProxyConfig, Publish } from './daemon/config.ts';
import { startProxy } from './daemon/proxy.ts';

export type { ProxyConfig, Publish };
export type { PublicationReport } from './daemon/debug.ts';
export type { EndpointReport, EndpointStatus, PortReport, ServiceReport } from './balance/index.ts';

export const proxyDaemon: DaemonDefinition<ProxyConfig> = {
  role: 'proxy',
  summary: 'Publishes Service ports on this machine and balances connections over their endpoints.',
  schema: proxySchema,
  checks: proxyChecks,
  parse: (values) => parseProxyConfig(values, hostname().toLowerCase()),
  start: startProxy,
};
