/** StatsD as a source of the adapter: its sockets, its mapping, its own metrics. */

import type { MetricFamily } from '@outrigger/core/exposition';
import { sizeBytes } from '@outrigger/core/api';
import type { MetricsAdapterSpec } from '@outrigger/core/api';
import type { Timer } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import { Cleanup } from '@outrigger/core/lifecycle';
import type { Deps } from '@outrigger/core/lifecycle';
import { parseAddress, warnOfExposure } from '@outrigger/core/net';
import type { DatagramListener, TcpAddress } from '@outrigger/core/net';
import { Mapper } from '../mapping/mapper.ts';
import type { MappingRules } from '../mapping/rules.ts';
import { loadMapping, MappingWatch, markOf } from '../mapping/source.ts';
import type { Prepared } from '../prepared.ts';
import type { SeriesStore } from '../series/series.ts';
import { familiesOf } from './families.ts';
import type { TagStyle } from './head.ts';
import { Ingest } from './ingest.ts';
import type { IngestOptions } from './ingest.ts';
import { readUdpState } from './kernel-drops.ts';
import { setWindowMs } from './sets.ts';
import { listenStream } from './streams.ts';
import type { StreamListener } from './streams.ts';
import { explainLine } from './why.ts';
import type { LineExplanation } from './why.ts';

export interface StatsdConfig {
  /** Undefined: not listened on. */
  readonly udp: TcpAddress | undefined;
  readonly tcp: TcpAddress | undefined;
  /** Path of a unix stream socket. */
  readonly unix: string | undefined;
  readonly receiveBufferBytes: number;
  readonly maxConnections: number;
  readonly maxLineLength: number;
  readonly cacheSize: number;
  readonly tagStyles: readonly TagStyle[];
  readonly containerId: boolean;
  readonly mappingFile: string | undefined;
  /** The mapping document itself, where there is no file. */
  readonly mapping: unknown;
  readonly timerBuckets: readonly number[];
}

export interface Statsd {
  /** `statsd-udp`, `statsd-tcp`, `statsd-unix`: those listened on. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Rejects where the mapping is bad, or the receive buffer another. Addresses stay. */
  prepare(config: StatsdConfig): Promise<Prepared>;
  /** `outrigger_adapter_statsd_*`. */
  collect(): Promise<readonly MetricFamily[]>;
  /** What would become of a line. */
  explain(line: string): LineExplanation;
  close(): Promise<void>;
}

/** Of a validated spec. */
export function statsdConfigOf(spec: MetricsAdapterSpec): StatsdConfig {
  const { statsd } = spec;
  return {
    udp: spec.statsdUdp === '' ? undefined : (parseAddress(spec.statsdUdp) as TcpAddress),
    tcp: spec.statsdTcp === '' ? undefined : (parseAddress(spec.statsdTcp) as TcpAddress),
    unix: spec.statsdUnix === '' ? undefined : spec.statsdUnix?.replace(/^unix:/, ''),
    receiveBufferBytes: sizeBytes(statsd.receiveBuffer, 'statsd.receiveBuffer'),
    maxConnections: statsd.maxConnections,
    maxLineLength: sizeBytes(statsd.maxLineLength, 'statsd.maxLineLength'),
    cacheSize: statsd.cacheSize,
    tagStyles: statsd.tagStyles,
    containerId: statsd.containerId,
    mappingFile: spec.statsdMapping,
    mapping: spec.mapping,
    timerBuckets: spec.timerBuckets,
  };
}

/** Throws InvalidConfig or MAPPING_UNREADABLE for the mapping, LISTEN_FAILED for a socket. */
export async function startStatsd(config: StatsdConfig, store: SeriesStore, deps: Deps): Promise<Statsd> {
  const running = new RunningStatsd(config, store, deps);
  try {
    await running.start();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningStatsd implements Statsd {
  readonly addresses: Record<string, string> = {};
  readonly #store: SeriesStore;
  readonly #deps: Deps;
  readonly #cleanup = new Cleanup();
  readonly #ingest: Ingest;
  readonly #streams: StreamListener[] = [];
  readonly #loads = { good: 0, bad: 0, lastIsGood: true };
  #config: StatsdConfig;
  #udp: DatagramListener | undefined;
  #rules: MappingRules | undefined;
  #watch: MappingWatch | undefined;
  #setTimer: Timer | undefined;

  constructor(config: StatsdConfig, store: SeriesStore, deps: Deps) {
    this.#config = config;
    this.#store = store;
    this.#deps = deps;
    this.#ingest = new Ingest(ingestOptions(config, undefined), store, deps.random.next() * 2 ** 32);
  }

  async start(): Promise<void> {
    await (await this.prepare(this.#config)).commit();
    this.#cleanup.add('mapping', () => this.#watch?.close());
    this.#turnSets();
    this.#cleanup.add('sets', () => this.#setTimer?.cancel());
    await this.#listenUdp();
    const { tcp, unix } = this.#config;
    if (tcp !== undefined) await this.#listenStream('tcp', tcp);
    if (unix !== undefined) await this.#listenStream('unix', { kind: 'unix', path: unix });
  }

  async prepare(config: StatsdConfig): Promise<Prepared> {
    const { mappingFile } = config;
    if (config.receiveBufferBytes !== this.#config.receiveBufferBytes) throw bufferIsFixed();
    const seen = mappingFile === undefined ? '' : await markOf(mappingFile);
    const place = { file: mappingFile, inline: config.mapping, bounds: config.timerBuckets };
    const rules = await this.#load(() => loadMapping(place));
    const watch = (file: string): MappingWatch => {
      const { clock, log } = this.#deps;
      return new MappingWatch({ ...place, file }, seen, clock, log, (next) => {
        this.#count(next !== undefined);
        if (next !== undefined) this.#use(next);
      });
    };
    return {
      commit: () => {
        this.#watch?.close();
        this.#config = config;
        this.#use(rules);
        for (const stream of this.#streams) stream.apply(config);
        this.#watch = mappingFile === undefined ? undefined : watch(mappingFile);
      },
      discard: () => undefined,
    };
  }

  async collect(): Promise<readonly MetricFamily[]> {
    const { tally, cache, sets } = this.#ingest;
    return familiesOf({
      tally,
      cacheKeys: cache.size,
      cacheLimit: this.#config.cacheSize,
      cacheBytes: cache.bytes,
      sets: sets.size,
      mappingRules: this.#rules?.rules.length ?? 0,
      mappingLoads: this.#loads,
      udp: this.#udp === undefined ? undefined : await readUdpState(this.#udp.address),
      receiveBufferBytes: this.#udp?.receiveBufferBytes,
    });
  }

  explain(line: string): LineExplanation {
    return explainLine(line, this.#ingest.resolver, this.#store);
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }

  async #load(read: () => Promise<MappingRules | undefined>): Promise<MappingRules | undefined> {
    try {
      const rules = await read();
      if (rules !== undefined) this.#count(true);
      return rules;
    } catch (error) {
      this.#count(false);
      throw error;
    }
  }

  #count(isGood: boolean): void {
    this.#loads[isGood ? 'good' : 'bad'] += 1;
    this.#loads.lastIsGood = isGood;
  }

  #use(rules: MappingRules | undefined): void {
    this.#rules = rules;
    for (const note of rules?.notes ?? [])
      this.#deps.log.warn('the mapping asks for something else', { note });
    this.#ingest.apply(ingestOptions(this.#config, rules));
  }

  /** Once a minute, sets begin anew. */
  #turnSets(): void {
    this.#setTimer = this.#deps.clock.setTimeout(() => {
      this.#ingest.turnSets();
      this.#turnSets();
    }, setWindowMs);
  }

  async #listenUdp(): Promise<void> {
    const { udp, receiveBufferBytes } = this.#config;
    if (udp === undefined) return;
    const ingest = this.#ingest;
    const { tally } = ingest;
    const onMessage = (message: Buffer): void => {
      tally.packets += 1;
      (tally.bytes[0] as number) += message.length;
      ingest.lines(message, 0, message.length);
    };
    this.#udp = await this.#deps.net.datagram(udp, onMessage, { receiveBufferBytes });
    this.#cleanup.add('StatsD over UDP', () => this.#udp?.close());
    this.addresses['statsd-udp'] = this.#udp.name;
    warnOfExposure(this.#deps.log, 'statsd-udp', this.#udp.address);
    this.#judgeBuffer(this.#udp.receiveBufferBytes / 2, receiveBufferBytes);
  }

  #judgeBuffer(granted: number, asked: number): void {
    if (granted >= asked) return;
    this.#deps.log.warn('the kernel granted the StatsD socket a smaller receive buffer than asked', {
      askedBytes: asked,
      grantedBytes: granted,
      hint: `bursts are dropped sooner; as root: sysctl -w net.core.rmem_max=${asked}, then restart the adapter`,
    });
  }

  async #listenStream(
    transport: 'tcp' | 'unix',
    address: TcpAddress | { kind: 'unix'; path: string },
  ): Promise<void> {
    const { tally } = this.#ingest;
    const sink = {
      lines: (bytes: Buffer, from: number, to: number) => this.#ingest.lines(bytes, from, to),
      failed: (reason: Parameters<typeof tally.failed>[0]) => tally.failed(reason),
    };
    const stream = await listenStream(transport, address, this.#config, sink, tally, this.#deps);
    this.#streams.push(stream);
    this.#cleanup.add(`StatsD over ${transport}`, () => stream.close());
    this.addresses[`statsd-${transport}`] = stream.name;
  }
}

function bufferIsFixed(): OutriggerError {
  return new OutriggerError('statsd.receiveBuffer cannot change while the adapter runs', {
    code: 'CONFIG_INVALID',
    target: 'statsd.receiveBuffer',
    hint: 'restart the adapter to apply it',
  });
}

function ingestOptions(config: StatsdConfig, rules: MappingRules | undefined): IngestOptions {
  return {
    tagStyles: new Set(config.tagStyles),
    containerId: config.containerId,
    mapper: rules === undefined ? undefined : new Mapper(rules),
    bounds: config.timerBuckets,
    maxLineLength: config.maxLineLength,
    cacheSize: config.cacheSize,
  };
}
