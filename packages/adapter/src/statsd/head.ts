/**
 * What a line says besides its numbers: name, type, tags.
 *
 *     NAME[TAGS]:VALUE[:VALUE…]|TYPE[|@RATE][|#TAG:VALUE,…][|c:CONTAINER][|T1656581400][|ANYTHING]
 *
 * Tags stand behind the line (DogStatsD) or inside the name: `name,k=v` (InfluxDB), `name#k=v` (Librato),
 * `name[k=v]` (SignalFX). Both in one line are refused, as statsd_exporter does. Parts nobody knows are skipped rather
 * than dropping the sample, because newer clients send what older servers never heard of.
 */

import type { LabelPairs } from '@outrigger/core/exposition';
import { escapeName } from './names.ts';

export type TagStyle = 'dogstatsd' | 'influxdb' | 'librato' | 'signalfx';

/** `c` counter, `g` gauge, `ms` timer in milliseconds, `h` and `d` observations as they are, `s` set. */
export type SampleType = 'c' | 'g' | 'ms' | 'h' | 'd' | 's';

export interface HeadOptions {
  readonly tagStyles: ReadonlySet<TagStyle>;
  /** Make a label of `|c:`. */
  readonly containerId: boolean;
}

export interface Head {
  /** As written, without tags; not empty. */
  readonly name: string;
  readonly type: SampleType;
  /** Names sanitised, the last of equal names. */
  readonly tags: LabelPairs;
  /** Tags not taken: without a name or a value, a lone bracket, a reserved name. */
  readonly badTags: number;
}

export type HeadError = 'malformed' | 'bad-type' | 'mixed-tags' | 'name-too-long';

/** Characters of a name: rules are tried on it, and nobody could read a longer one. */
export const maxNameLength = 1024;

/** `parts`: what stands between the bars after the value, the type first. */
export function parseHead(name: string, parts: readonly string[], options: HeadOptions): Head | HeadError {
  const [type = '', ...more] = parts;
  if (!isType(type)) return type === '' ? 'malformed' : 'bad-type';
  if (more.includes('')) return 'malformed';
  const tags = new Tags();
  const bare = tags.fromName(name, options.tagStyles);
  if (bare === '') return 'malformed';
  if (bare.length > maxNameLength) return 'name-too-long';
  if (options.tagStyles.has('dogstatsd')) {
    const written = more.filter((part) => part.startsWith('#'));
    if (written.length > 0 && tags.kept.size > 0) return 'mixed-tags';
    for (const part of written) tags.fromPart(part.slice(1));
  }
  const container = options.containerId ? more.find((part) => /^c:./.test(part)) : undefined;
  if (container !== undefined) tags.kept.set('container_id', container.slice(2));
  return { name: bare, type, tags: [...tags.kept], badTags: tags.bad };
}

/**
 * Where the next sample of `body` (what follows the first colon) begins, or -1: etsy's several samples of one name,
 * `1|c:2|c|@0.1:3|ms`. Colons inside values (`1:2:3|ms`), tags and parts such as `c:ID` divide nothing.
 */
export function nextSample(body: string, from: number): number {
  let part = 0;
  let begin = from;
  // The first colon from `begin` on; looked for only forwards, so that no line is read twice.
  let colon = body.indexOf(':', from);
  while (colon !== -1 && begin <= body.length) {
    const bar = body.indexOf('|', begin);
    const end = bar === -1 ? body.length : bar;
    while (colon !== -1 && colon < begin) colon = body.indexOf(':', Math.max(begin, colon + 1));
    const mayEnd = part === 1 || (part > 1 && body[begin] === '@');
    if (mayEnd && colon !== -1 && colon < end) return colon + 1;
    part += 1;
    begin = end + 1;
  }
  return -1;
}

export function isType(text: string): text is SampleType {
  return ['c', 'g', 'ms', 'h', 'd', 's'].includes(text);
}

class Tags {
  readonly kept = new Map<string, string>();
  bad = 0;

  /** Takes the tags out of a name and returns the rest of it. */
  fromName(name: string, styles: ReadonlySet<TagStyle>): string {
    if (styles.has('signalfx')) {
      const open = name.indexOf('[');
      const close = name.indexOf(']');
      if (open !== -1 && close > open) {
        this.#list(name.slice(open + 1, close), '=');
        return name.slice(0, open) + name.slice(close + 1);
      }
      if (open !== close) {
        this.bad += 1;
        return name;
      }
    }
    const influx = styles.has('influxdb') ? name.indexOf(',') : -1;
    const librato = styles.has('librato') ? name.indexOf('#') : -1;
    const at = influx === -1 || (librato !== -1 && librato < influx) ? librato : influx;
    if (at === -1) return name;
    this.#list(name.slice(at + 1), '=');
    return name.slice(0, at);
  }

  fromPart(text: string): void {
    this.#list(text, ':');
  }

  #list(text: string, separator: string): void {
    const tags = text.split(',');
    // A comma at the end announces nothing.
    if (tags.at(-1) === '') tags.pop();
    for (const tag of tags) this.#tag(tag, separator);
  }

  #tag(tag: string, separator: string): void {
    const at = tag.indexOf(separator);
    // A PHP client writes '#' before each name.
    const name = escapeName(tag.slice(separator === ':' && tag.startsWith('#') ? 1 : 0, Math.max(at, 0)));
    if (name === '' || at === tag.length - 1 || name.startsWith('__')) this.bad += 1;
    else this.kept.set(name, tag.slice(at + 1));
  }
}
