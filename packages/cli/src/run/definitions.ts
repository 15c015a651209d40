/** Role → daemon, imported when asked for. */

import type { DaemonDefinition, Role } from '@outrigger/core/lifecycle';
import { collectReadBuffersLater, keepYoungGenerationSmall } from './collector.ts';

export async function definitionOf(role: Role): Promise<DaemonDefinition<unknown>> {
  switch (role) {
    case 'control':
      return (await import('@outrigger/control')).controlDaemon as DaemonDefinition<unknown>;
    case 'proxy':
      return (await import('@outrigger/proxy')).proxyDaemon as DaemonDefinition<unknown>;
    case 'ambassador':
      collectReadBuffersLater();
      return (await import('@outrigger/ambassador')).ambassadorDaemon as DaemonDefinition<unknown>;
    case 'adapter':
      keepYoungGenerationSmall();
      return (await import('@outrigger/adapter')).adapterDaemon as DaemonDefinition<unknown>;
  }
}
