/** What the intake tells about itself on the page: `outrigger_adapter_statsd_*`. */

import type { MetricFamily, Sample } from '@outrigger/core/exposition';
import type { UdpSocketState } from './kernel-drops.ts';
import { maxSets } from './sets.ts';
import { mappingResults, sampleKinds, transports } from './tally.ts';
import type { Tally } from './tally.ts';

export interface StatsdState {
  readonly tally: Tally;
  readonly cacheKeys: number;
  readonly cacheLimit: number;
  readonly cacheBytes: number;
  readonly sets: number;
  readonly mappingRules: number;
  readonly mappingLoads: { readonly good: number; readonly bad: number; readonly lastIsGood: boolean };
  /** Undefined: no UDP, or a system that does not tell. */
  readonly udp: UdpSocketState | undefined;
  /** Undefined: no UDP. */
  readonly receiveBufferBytes: number | undefined;
}

const prefix = 'outrigger_adapter_statsd_';

export function familiesOf(state: StatsdState): MetricFamily[] {
  const { tally, mappingLoads, udp } = state;
  return [
    counter('packets_total', 'UDP datagrams received.', tally.packets),
    ...byTransport(tally),
    counter('lines_total', 'StatsD lines received, without empty ones.', tally.lines),
    labelled('counter', 'samples_total', 'StatsD samples kept.', 'kind', sampleKinds, tally.samples),
    {
      ...family('counter', 'errors_total', 'StatsD lines, samples or parts not taken, by reason.'),
      samples: [...tally.errors].map(([reason, value]) => ({
        suffix: '',
        labels: [['reason', reason]],
        value,
      })),
    },
    counter('events_total', 'DogStatsD events received, which are only counted.', tally.events),
    counter(
      'service_checks_total',
      'DogStatsD service checks received, which are only counted.',
      tally.serviceChecks,
    ),
    labelled(
      'counter',
      'mapping_results_total',
      'StatsD lines by what the mapping made of them.',
      'result',
      mappingResults,
      tally.mapping,
    ),
    gauge('mapping_rules', 'Rules of the mapping in use.', state.mappingRules),
    labelled(
      'counter',
      'mapping_loads_total',
      'Mappings read, by outcome.',
      'outcome',
      ['success', 'failure'],
      [mappingLoads.good, mappingLoads.bad],
    ),
    gauge(
      'mapping_last_load_successful',
      '1 if the mapping was good when it was last read.',
      +mappingLoads.lastIsGood,
    ),
    counter('cache_misses_total', 'StatsD lines whose name and tags were not remembered.', tally.cacheMisses),
    gauge('cache_keys', 'Names with their tags that are remembered.', state.cacheKeys),
    gauge(
      'cache_limit_keys',
      'Names with their tags that are meant to be remembered (statsd.cacheSize).',
      state.cacheLimit,
    ),
    gauge('cache_reserved_bytes', 'Memory the cache may come to use.', state.cacheBytes),
    gauge('sets', 'Sets whose members are counted now.', state.sets),
    gauge('sets_limit', 'Sets counted at most.', maxSets),
    ...(state.receiveBufferBytes === undefined
      ? []
      : [
          gauge(
            'udp_receive_buffer_bytes',
            'Receive buffer of the UDP socket as the kernel counts it: twice what it granted.',
            state.receiveBufferBytes,
          ),
        ]),
    ...(udp === undefined
      ? []
      : [
          counter(
            'udp_dropped_total',
            'Datagrams the kernel dropped because the buffer was full.',
            udp.dropped,
          ),
          gauge('udp_queued_bytes', 'Bytes in the receive buffer of the UDP socket now.', udp.queuedBytes),
        ]),
  ];
}

function byTransport(tally: Tally): MetricFamily[] {
  const streams = transports.slice(1);
  const of = (values: Float64Array): Float64Array => values.subarray(1);
  return [
    labelled('counter', 'bytes_total', 'Bytes of StatsD received.', 'transport', transports, tally.bytes),
    labelled(
      'counter',
      'connections_total',
      'Connections of StatsD clients accepted.',
      'transport',
      streams,
      of(tally.connections),
    ),
    labelled(
      'gauge',
      'connections_open',
      'Connections of StatsD clients open now; the limit is statsd.maxConnections.',
      'transport',
      streams,
      of(tally.connectionsOpen),
    ),
    labelled(
      'counter',
      'connections_refused_total',
      'Connections of StatsD clients refused because of that limit.',
      'transport',
      streams,
      of(tally.connectionsRefused),
    ),
  ];
}

function family(type: 'counter' | 'gauge', name: string, help: string): Omit<MetricFamily, 'samples'> {
  return { name: prefix + name, type, help };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return { ...family('counter', name, help), samples: [{ suffix: '', labels: [], value }] };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { ...family('gauge', name, help), samples: [{ suffix: '', labels: [], value }] };
}

function labelled(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  values: readonly string[],
  numbers: ArrayLike<number>,
): MetricFamily {
  const samples = values.map((value, at): Sample => ({
    suffix: '',
    labels: [[label, value]],
    value: numbers[at] ?? 0,
  }));
  return { ...family(type, name, help), samples };
}
