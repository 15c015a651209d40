/** The reasons of a proxy as text: a line per endpoint, and why. */

import type { EndpointReport, PortReport, ServiceReport } from '@outrigger/proxy';

const sources: Readonly<Record<string, string>> = {
  node: 'this node',
  pod: 'a pod',
  external: 'outside the cluster',
};

export function renderService(report: ServiceReport & { readonly source: string }): string {
  const head = [
    `Service ${report.service}, for a connection from ${sources[report.source] ?? report.source}`,
  ];
  const problems = report.problems.map((problem) => `  problem: ${problem}`);
  const ports = report.ports.flatMap(renderPort);
  if (report.ports.length === 0) ports.push('  no such port');
  return `${[...head, ...problems, ...ports].join('\n')}\n`;
}

function renderPort(port: PortReport): string[] {
  // HTTP ports are told apart already; until requests are balanced, their connections are.
  const how = port.handling === 'l7' ? 'HTTP, relayed as TCP' : port.handling;
  const title = `  ${port.id}: ${port.verdict} (${how})`;
  const why = port.why.map((reason) => `    ${reason}`);
  return [title, ...why, ...port.endpoints.map(renderEndpoint)];
}

function renderEndpoint(endpoint: EndpointReport): string {
  const { key, target, status, reasons, active, picked, failures, ejectedForMs } = endpoint;
  const counts = `${active} open, ${picked} so far${failures > 0 ? `, ${failures} failed in a row` : ''}`;
  const ejected = ejectedForMs > 0 ? `, out for another ${Math.ceil(ejectedForMs / 1000)} s` : '';
  const because = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return `    ${status.padEnd(9)} ${key.padEnd(21)} ${target.padEnd(20)} ${counts}${ejected}${because}`;
}
