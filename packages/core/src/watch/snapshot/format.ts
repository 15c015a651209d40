/**
 * The snapshot's form: JSON lines, so that ten thousand records are written and read in small steps.
 *
 *     {"format":"outrigger-snapshot","version":1,"role":"proxy","savedAt":…,"sections":[{"name":…,"revision":…,"identity":…,"records":2}]}
 *     [["default/web","812",{…}],["default/api","77",{…}]]
 *     {"sha256":"…"}
 *
 * The last line is the checksum of all bytes before it. Nothing in a record is secret (types.ts), and nothing is
 * executed or looked up by what a file says: a changed file can at worst name wrong endpoints, which is why it is 0600.
 */

import { createHash } from 'node:crypto';
import { OutriggerError } from '../../errors/index.ts';
import type { Held } from '../reflector/types.ts';

/** Raise when older files must not be read any more. */
const version = 1;
const format = 'outrigger-snapshot';
/** Records per line: small enough that encoding one line does not delay traffic. */
const recordsPerLine = 128;

export interface Section {
  /** Resource and scope. */
  readonly name: string;
  readonly revision: string;
  readonly identity: string | undefined;
  readonly held: readonly Held<unknown>[];
}

export interface Snapshot {
  readonly role: string;
  /** Epoch ms. */
  readonly savedAt: number;
  readonly sections: readonly Section[];
}

interface Header {
  readonly format: string;
  readonly version: number;
  readonly role: string;
  readonly savedAt: number;
  readonly sections: readonly { name: string; revision: string; identity?: string; records: number }[];
}

/** The lines of the file, each with its line end. To be drawn one by one, with pauses between. */
export function* encodeSnapshot(snapshot: Snapshot): Generator<string> {
  const hash = createHash('sha256');
  for (const line of bodyLines(snapshot)) {
    hash.update(line);
    yield line;
  }
  yield `${JSON.stringify({ sha256: hash.digest('hex') })}\n`;
}

/** Throws SNAPSHOT_CORRUPT for a damaged file, SNAPSHOT_FOREIGN for one that is not ours to read. */
export function decodeSnapshot(content: Buffer, role: string, file: string): Snapshot {
  const lines = checkedLines(content, file);
  const header = headerOf(lines[0] ?? '', role, file);
  const sections: Section[] = [];
  let at = 1;
  for (const { name, revision, identity, records } of header.sections) {
    const held: Held<unknown>[] = [];
    while (held.length < records) held.push(...recordsOf(lines[at++], file));
    if (held.length > records) throw corrupt(file, 'it holds more records than it says');
    sections.push({ name, revision, identity, held });
  }
  if (at !== lines.length) throw corrupt(file, 'it holds more lines than it says');
  return { role: header.role, savedAt: header.savedAt, sections };
}

function* bodyLines(snapshot: Snapshot): Generator<string> {
  const sections = snapshot.sections.map(({ name, revision, identity, held }) => ({
    name,
    revision,
    ...(identity === undefined ? {} : { identity }),
    records: held.length,
  }));
  const header: Header = { format, version, role: snapshot.role, savedAt: snapshot.savedAt, sections };
  yield `${JSON.stringify(header)}\n`;
  for (const { held } of snapshot.sections) {
    for (let from = 0; from < held.length; from += recordsPerLine) {
      const some = held.slice(from, from + recordsPerLine);
      yield `${JSON.stringify(some.map(({ key, revision, record }) => [key, revision, record]))}\n`;
    }
  }
}

/** All lines but the checksum's, once it has been found right. */
function checkedLines(content: Buffer, file: string): string[] {
  const end = content.lastIndexOf('\n{"sha256":"');
  if (end === -1) throw corrupt(file, 'it has no checksum');
  const sum = createHash('sha256')
    .update(content.subarray(0, end + 1))
    .digest('hex');
  if (content.toString('utf8', end + 1) !== `${JSON.stringify({ sha256: sum })}\n`)
    throw corrupt(file, 'its checksum is wrong');
  return content.toString('utf8', 0, end).split('\n');
}

function headerOf(line: string, role: string, file: string): Header {
  const header = parse(line, file) as Partial<Header> | null;
  if (header?.format !== format) throw foreign(file, 'it is not a snapshot of Outrigger');
  if (header.version !== version)
    throw foreign(file, `it has version ${String(header.version)}, this release reads ${version}`);
  if (header.role !== role) throw foreign(file, `it belongs to a ${String(header.role)}, not to a ${role}`);
  if (!Array.isArray(header.sections) || typeof header.savedAt !== 'number')
    throw corrupt(file, 'its head is incomplete');
  return header as Header;
}

function recordsOf(line: string | undefined, file: string): Held<unknown>[] {
  if (line === undefined) throw corrupt(file, 'it holds fewer records than it says');
  const records = parse(line, file);
  if (!Array.isArray(records) || records.length === 0) throw corrupt(file, 'a line of it holds no records');
  return (records as [string, string, unknown][]).map(([key, revision, record]) => ({
    key,
    revision,
    record,
  }));
}

function parse(line: string, file: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw corrupt(file, 'a line of it is not JSON', error);
  }
}

function corrupt(file: string, why: string, cause?: unknown): OutriggerError {
  return new OutriggerError(`the snapshot ${file} is damaged: ${why}`, {
    code: 'SNAPSHOT_CORRUPT',
    target: file,
    hint: 'nothing to do: it is written anew after the first list',
    ...(cause === undefined ? {} : { cause }),
  });
}

function foreign(file: string, why: string): OutriggerError {
  return new OutriggerError(`the snapshot ${file} is not used: ${why}`, {
    code: 'SNAPSHOT_FOREIGN',
    target: file,
    hint: 'give each daemon a --state-dir of its own',
  });
}
