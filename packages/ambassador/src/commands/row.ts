/** What a server tells of a command (one entry of COMMAND), and the line of text the generated table keeps of it. */

import type { RespValue } from '@outrigger/core/resp';
import { parsePlaces, writePlaces } from './key-spec.ts';
import type { KeyPlace } from './key-spec.ts';

export interface Row {
  /** Upper case; `OBJECT|ENCODING` for a subcommand. */
  readonly name: string;
  /** Number of arguments, name included; negative: at least so many. */
  readonly arity: number;
  /** As COMMAND writes them, and the tips that tell of answers that differ (`nondeterministic_output`, `…_order`). */
  readonly flags: readonly string[];
  readonly places: readonly KeyPlace[];
  /** The servers it was read from: `redis 7.0.15`. */
  readonly origin: string;
}

/** Every command and subcommand of a reply to COMMAND or COMMAND INFO; entries that are null or malformed are left out. */
export function rowsOfReply(reply: RespValue, origin: string): Row[] {
  return items(reply).flatMap((entry) => rowsOfEntry(entry, origin));
}

/** `GET 2 readonly,fast 1:0/1/0` */
export function writeRow({ name, arity, flags, places }: Omit<Row, 'origin'>): string {
  return [name, arity, flags.length === 0 ? '-' : flags.join(','), writePlaces(places)].join(' ');
}

export function parseRow(line: string, origin: string): Row {
  const [name = '', arity, flags = '-', places = '-'] = line.split(' ');
  return {
    name,
    arity: Number(arity),
    flags: flags === '-' ? [] : flags.split(','),
    places: parsePlaces(places),
    origin,
  };
}

const tellingTips: readonly string[] = ['nondeterministic_output', 'nondeterministic_output_order'];

/**
 * An entry is a list: name, arity, flags, first key, last key, step, ACL categories and, since Redis 7, tips, key
 * specifications and subcommands (entries themselves).
 */
function rowsOfEntry(entry: RespValue, origin: string): Row[] {
  const fields = items(entry);
  const name = text(fields[0]).toUpperCase();
  if (name === '') return [];
  const flags = items(fields[2]).map(text);
  const tips = items(fields[7])
    .map(text)
    .filter((tip) => tellingTips.includes(tip));
  const specs = items(fields[8]).map(placeOf);
  const places = specs.length === 0 ? placesByNumbers(fields) : specs;
  const row = { name, arity: number(fields[1]), flags: [...flags, ...tips], places, origin };
  return [row, ...items(fields[9]).flatMap((sub) => rowsOfEntry(sub, origin))];
}

/** Commands of modules and servers before Redis 7 have no specifications. */
function placesByNumbers(fields: readonly RespValue[]): KeyPlace[] {
  const [first, last, step] = [3, 4, 5].map((at) => number(fields[at])) as [number, number, number];
  if (first <= 0) return items(fields[2]).some((flag) => text(flag) === 'movablekeys') ? [unknownPlace] : [];
  const range = { last: last < 0 ? last : last - first, step: Math.max(step, 1), limit: 0 };
  return [{ begin: { index: first }, find: range, channel: false }];
}

const unknownPlace: KeyPlace = { begin: undefined, find: undefined, channel: false };

function placeOf(spec: RespValue): KeyPlace {
  const begin = field(spec, 'begin_search');
  const find = field(spec, 'find_keys');
  return {
    begin: beginOf(text(field(begin, 'type')), field(begin, 'spec')),
    find: findOf(text(field(find, 'type')), field(find, 'spec')),
    channel: items(field(spec, 'flags')).some((flag) => text(flag) === 'not_key'),
  };
}

function beginOf(type: string, spec: RespValue | undefined): KeyPlace['begin'] {
  if (type === 'index') return { index: number(field(spec, 'index')) };
  if (type !== 'keyword') return undefined;
  return { word: text(field(spec, 'keyword')).toUpperCase(), from: number(field(spec, 'startfrom')) };
}

function findOf(type: string, spec: RespValue | undefined): KeyPlace['find'] {
  const of = (name: string): number => number(field(spec, name));
  if (type === 'range') return { last: of('lastkey'), step: of('keystep'), limit: of('limit') };
  if (type === 'keynum') return { count: of('keynumidx'), first: of('firstkey'), step: of('keystep') };
  return undefined;
}

/** A field of a map: in RESP2 a list of names and values. */
function field(value: RespValue | undefined, name: string): RespValue | undefined {
  if (value?.type === 'map') return value.entries.find(([key]) => text(key) === name)?.[1];
  const list = items(value);
  const at = list.findIndex((item, i) => i % 2 === 0 && text(item) === name);
  return at === -1 ? undefined : list[at + 1];
}

function items(value: RespValue | undefined): readonly RespValue[] {
  return value?.type === 'list' || value?.type === 'set' ? value.items : [];
}

function text(value: RespValue | undefined): string {
  if (value?.type === 'bulk') return value.bytes.toString('latin1');
  return value?.type === 'simple' ? value.text : '';
}

function number(value: RespValue | undefined): number {
  return value?.type === 'integer' ? Number(value.value) : 0;
}
