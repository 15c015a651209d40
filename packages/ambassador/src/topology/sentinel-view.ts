/**
 * What sentinels say, and whom to believe when they disagree.
 *
 * A sentinel that was cut off names the primary of before. Every failover has an epoch that a majority agreed on, so the
 * newest epoch wins. Within one epoch the sentinel that leads a failover knows of the promotion first: the others follow.
 * Else what most of them say.
 */

import { formatAddress } from '@outrigger/core/net';

/** One sentinel's word about our primary. */
export interface SentinelView {
  readonly sentinel: string;
  /** `HOST:PORT`. */
  readonly primary: string;
  readonly epoch: number;
  /** It leads a failover that is going on. */
  readonly leads: boolean;
  readonly replicas: readonly string[];
  /** The other sentinels it knows. */
  readonly sentinels: readonly string[];
}

export function chooseView(views: readonly SentinelView[]): SentinelView | undefined {
  const votes = new Map<string, number>();
  for (const { primary } of views) votes.set(primary, (votes.get(primary) ?? 0) + 1);
  const rank = (view: SentinelView): number[] => [
    view.epoch,
    Number(view.leads),
    votes.get(view.primary) ?? 0,
  ];
  return views.reduce<SentinelView | undefined>(
    (best, view) => (best === undefined || exceeds(rank(view), rank(best)) ? view : best),
    undefined,
  );
}

/** What `SENTINEL MASTER`, `REPLICAS` and `SENTINELS` answer: names and values by turns. */
export type FlatFields = readonly string[];

export interface SentinelReplies {
  /** Of `SENTINEL GET-MASTER-ADDR-BY-NAME`. */
  readonly address: readonly [host: string, port: string];
  readonly master: FlatFields;
  readonly replicas: readonly FlatFields[];
  readonly sentinels: readonly FlatFields[];
}

export function readView(sentinel: string, replies: SentinelReplies): SentinelView {
  const { address, master, replicas, sentinels } = replies;
  const [host, port] = address;
  const state = fieldsOf(master);
  return {
    sentinel,
    primary: addressOf(host, port),
    epoch: Number(state.get('config-epoch') ?? 0),
    leads: (state.get('flags') ?? '').split(',').includes('failover_in_progress'),
    replicas: replicas.map(addressOfFields),
    sentinels: sentinels.map(addressOfFields),
  };
}

/** The names of the primaries a sentinel knows, from `SENTINEL MASTERS`. */
export function namesOf(masters: readonly FlatFields[]): string[] {
  return masters.map((master) => fieldsOf(master).get('name') ?? '');
}

/** Who takes whose place. */
export interface Succession {
  readonly from: string;
  readonly to: string;
}

export interface SentinelEvent {
  /** Without its sign. */
  readonly name: string;
  /** It has been done. */
  readonly switched?: Succession | undefined;
  /** The one elected to lead has just told the heir, which does it at once; it looks whether that is done once a second. */
  readonly told?: Succession | undefined;
}

/** An event about our primary or its servers; undefined for one about others. */
export function readEvent(channel: string, message: string, master: string): SentinelEvent | undefined {
  const name = channel.replace(/^[+-]/, '');
  const words = message.split(' ');
  if (name === 'switch-master') {
    const [about, oldHost = '', oldPort = '', host, port] = words;
    if (about !== master || host === undefined || port === undefined) return undefined;
    return { name, switched: { from: addressOf(oldHost, oldPort), to: addressOf(host, port) } };
  }
  // TYPE NAME HOST PORT, and for all but the primary itself: @ PRIMARY HOST PORT
  const [about, ...primary] = words[0] === 'master' ? words.slice(1) : words.slice(words.indexOf('@') + 1);
  if (about !== master) return undefined;
  const [, , host = '', port = ''] = words;
  const [oldHost = '', oldPort = ''] = primary;
  if (name !== 'failover-state-wait-promotion') return { name };
  return { name, told: { from: addressOf(oldHost, oldPort), to: addressOf(host, port) } };
}

function addressOfFields(flat: FlatFields): string {
  const fields = fieldsOf(flat);
  return addressOf(fields.get('ip') ?? '', fields.get('port') ?? '');
}

function addressOf(host: string, port: string): string {
  return formatAddress({ kind: 'tcp', host, port: Number(port) });
}

function fieldsOf(flat: FlatFields): Map<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] as string, flat[i + 1] as string);
  return fields;
}

function exceeds(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value > (b[i] as number);
  return false;
}
