/** The live view as text: a pure function of the facts and the size of the terminal. */

import { stripVTControlCharacters, styleText } from 'node:util';
import type { EndpointFact, Facts } from './facts.ts';

export interface Places {
  readonly control: string;
  readonly web: string;
  readonly scrape: string;
  readonly redis: string | undefined;
  /** Why there is no Redis; undefined when there is one. */
  readonly redisMissing: string | undefined;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const bold = (text: string): string => styleText('bold', text, always);
const dim = (text: string): string => styleText('dim', text, always);
const green = (text: string): string => styleText('green', text, always);
const red = (text: string): string => styleText('red', text, always);
/** Whether there is a terminal has been decided by who asks for the view. */
const always = { validateStream: false } as const;

/** Lines no wider than the terminal and no more than it has, the last ones (what happened) cut first. */
export function renderView(facts: Facts, places: Places, events: readonly string[], size: Size): string[] {
  const fixed = [
    `${bold('Outrigger')}  control ${facts.controlUp ? green('up') : red('down')} ${dim(places.control)}   ${dim('Ctrl-C ends it all')}`,
    '',
    `${bold('Service default/web')} ${dim(`http://${places.web}/`)}`,
    ...endpointTable(facts.endpoints, size.columns),
    `failed dials and broken connections: ${facts.failures}`,
    '',
    ...redisLines(facts, places),
    `${bold('Metrics')}  http://${places.scrape}/metrics`,
    '',
    bold('Try, in another terminal:'),
    ...tries(facts, places).map((line) => `  ${line}`),
    '',
  ];
  const room = Math.max(0, size.rows - fixed.length - 1);
  const recent = room === 0 ? [] : events.slice(-room).map(dim);
  return [...fixed, ...recent].slice(0, size.rows - 1).map((line) => cut(line, size.columns));
}

function endpointTable(endpoints: readonly EndpointFact[], columns: number): string[] {
  if (endpoints.length === 0) return [red('  no endpoints: connections are refused at once')];
  const busiest = Math.max(1, ...endpoints.map(({ requests }) => requests));
  const barWidth = Math.max(6, Math.min(30, columns - 72));
  return endpoints.map((endpoint) => {
    const { name, address, status, why, requests } = endpoint;
    const bar = '█'.repeat(Math.round((requests / busiest) * barWidth)).padEnd(barWidth);
    const state = status === 'used' ? green('ready'.padEnd(9)) : red(status.padEnd(9));
    return `  ${name.padEnd(7)} ${address.padEnd(16)} ${state} ${String(requests).padStart(6)} ${bar} ${dim(why)}`;
  });
}

function redisLines(facts: Facts, places: Places): string[] {
  if (facts.redis === undefined || places.redis === undefined) {
    return [`${bold('Redis')}  ${places.redisMissing ?? 'starting'}`];
  }
  const { reads, writes, onReplica } = facts.redis;
  return [
    `${bold('Redis')}  ${places.redis}  reads ${reads} (${onReplica} on the replica), writes ${writes} on the primary`,
  ];
}

function tries(facts: Facts, places: Places): string[] {
  const victim = facts.endpoints.find(({ status, pid }) => status === 'used' && pid > 0);
  const redisPort = places.redis?.split(':').at(-1);
  return [
    `curl http://${places.web}/`,
    `kubectl --server ${places.control} get services,endpointslices,pods`,
    ...(redisPort === undefined ? [] : [`redis-cli -p ${redisPort} set hello world`]),
    `curl -s http://${places.scrape}/metrics | grep demo_`,
    ...(victim === undefined
      ? []
      : [`kill ${victim.pid}   # ${victim.name} says goodbye first; with kill -9 it does not`]),
  ];
}

/** Cuts at the visible width; what switches colours has none. */
export function cut(line: string, columns: number): string {
  let visible = 0;
  let result = '';
  // A switch ends with m, so that what stands before it in a piece is text, and nothing stands after it.
  for (const piece of line.split(/(?<=m)/)) {
    const text = stripVTControlCharacters(piece);
    const kept = text.slice(0, Math.max(0, columns - visible));
    visible += kept.length;
    result += kept + piece.slice(text.length);
  }
  return result;
}
