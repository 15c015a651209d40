/** What `kubectl get pods` prints. */

import type { Column } from '../schema.ts';
import type { Pod } from './pod.ts';

export const podColumns: readonly Column<Pod>[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Ready containers of all containers',
    priority: 0,
    cell: readyCount,
  },
  { name: 'Status', type: 'string', description: 'What the pod is doing', priority: 0, cell: statusText },
  {
    name: 'Restarts',
    type: 'string',
    description: 'Restarts of its containers',
    priority: 0,
    cell: restarts,
  },
  wide('IP', 'Address', (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>'),
  wide('Node', 'Node it runs on', (pod) => pod.spec.nodeName || '<none>'),
  wide('Nominated Node', 'Node it would go to', (pod) => pod.status?.nominatedNodeName || '<none>'),
  wide('Readiness Gates', 'Gates that hold, of all gates', gates),
];

function wide(name: string, description: string, cell: (pod: Pod) => string): Column<Pod> {
  return { name, type: 'string', description, priority: 1, afterAge: true, cell };
}

function readyCount(pod: Pod): string {
  const ready = (pod.status?.containerStatuses ?? []).filter((status) => status.ready).length;
  return `${ready}/${pod.spec.containers.length}`;
}

/** The reason of a container that keeps the pod from running, else the pod's own reason or phase. */
function statusText(pod: Pod): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  if (pod.status?.reason) return pod.status.reason;
  for (const status of pod.status?.containerStatuses ?? []) {
    const state = (status.state ?? {}) as { waiting?: { reason?: string }; terminated?: { reason?: string } };
    const reason = state.waiting?.reason ?? state.terminated?.reason;
    if (reason) return reason;
  }
  return pod.status?.phase ?? 'Unknown';
}

function restarts(pod: Pod): string {
  return String((pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0));
}

function gates(pod: Pod): string {
  const all = pod.spec.readinessGates ?? [];
  if (all.length === 0) return '<none>';
  const holds = all.filter(({ conditionType }) =>
    pod.status?.conditions?.some(({ type, status }) => type === conditionType && status === 'True'),
  );
  return `${holds.length}/${all.length}`;
}
