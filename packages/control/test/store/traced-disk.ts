/**
 * What a disk holds when the power fails, from a trace of a process's system calls.
 *
 * The model is as unkind as POSIX allows: what was written since a file's last fsync may be there or not, each write by
 * itself and any of them cut short; a name exists only if its folder was synced after it was made.
 */

import type { Random } from '@outrigger/core/clock';

/** The system calls to trace: strace's `-e trace=`. */
export const tracedCalls = 'openat,close,pwrite64,write,ftruncate,fsync,fdatasync,unlink';

export interface Cut {
  /** Everything the process had written to stdout by then. */
  readonly output: string;
  /** Nothing but what was synced. */
  readonly synced: ReadonlyMap<string, Buffer>;
  /** That, and some of what was not. */
  readonly torn: ReadonlyMap<string, Buffer>;
}

interface Write {
  readonly offset: number;
  readonly data: Buffer;
}

class TracedFile {
  written: Buffer = Buffer.alloc(0);
  synced: Buffer = Buffer.alloc(0);
  #unsynced: Write[] = [];

  write(write: Write): void {
    this.written = applied(this.written, write);
    this.#unsynced.push(write);
  }

  truncate(size: number): void {
    this.written = this.written.subarray(0, size);
  }

  sync(): void {
    this.synced = Buffer.from(this.written);
    this.#unsynced = [];
  }

  torn(random: Random): Buffer {
    let content: Buffer = Buffer.from(this.synced);
    for (const { offset, data } of this.#unsynced) {
      const luck = random.next();
      if (luck < 0.3) continue;
      const kept = luck < 0.6 ? Math.floor(random.next() * data.length) : data.length;
      content = applied(content, { offset, data: data.subarray(0, kept) });
    }
    return content;
  }
}

/**
 * The states of the folder `dir` had the power failed there: before each change that follows output, when most has been
 * promised, and after each sync.
 */
export function* powerCuts(trace: string, dir: string, random: Random): Generator<Cut> {
  const open = new Map<number, TracedFile | 'folder'>();
  const names = new Map<string, TracedFile>();
  let durable = new Map<string, TracedFile>();
  let output = '';
  let promised = false;
  const fileOf = (fd: number): TracedFile | undefined => {
    const file = open.get(fd);
    return file === 'folder' ? undefined : file;
  };
  for (const { name, args, result } of calls(trace)) {
    const fd = Number(args[0]);
    if (name === 'write') {
      if (fd === 1) output += bytes(args[1]).toString();
      promised ||= fd === 1;
      continue;
    }
    if (promised) yield cut();
    promised = false;
    if (name === 'openat') opened(args, result);
    else if (name === 'close') open.delete(fd);
    else if (name === 'pwrite64') fileOf(fd)?.write({ data: bytes(args[1]), offset: Number(args[3]) });
    else if (name === 'ftruncate') fileOf(fd)?.truncate(Number(args[1]));
    else if (name === 'unlink') names.delete(bytes(args[0]).toString());
    else if (result === 0) {
      synced(fd);
      yield cut();
    }
  }
  // Replies after the last change of the disk are promises too.
  if (promised) yield cut();

  function opened(args: readonly string[], fd: number): void {
    const path = bytes(args[1]).toString();
    if (fd < 0 || !path.startsWith(dir)) return;
    if (path === dir) open.set(fd, 'folder');
    else {
      const file = names.get(path) ?? new TracedFile();
      names.set(path, file);
      open.set(fd, file);
    }
  }

  function synced(fd: number): void {
    if (open.get(fd) === 'folder') durable = new Map(names);
    fileOf(fd)?.sync();
  }

  function cut(): Cut {
    const name = (path: string): string => path.slice(dir.length + 1);
    const files = [...durable];
    return {
      output,
      synced: new Map(files.map(([path, file]) => [name(path), file.synced])),
      torn: new Map(files.map(([path, file]) => [name(path), file.torn(random)])),
    };
  }
}

interface Call {
  readonly name: string;
  readonly args: string[];
  readonly result: number;
}

/** The calls of a trace in order: writing ones when they began, all others when they returned. */
function* calls(trace: string): Generator<Call> {
  const unfinished = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    if (begun !== undefined) {
      if (/^p?write/.test(begun)) yield call(`${begun}) = 0`);
      else unfinished.set(thread, begun);
    } else if (resumed === undefined) {
      if (/^\w+\(/.test(rest)) yield call(rest);
    } else if (unfinished.has(thread)) {
      yield call(`${unfinished.get(thread)}${resumed}`);
      unfinished.delete(thread);
    }
  }
}

function call(text: string): Call {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(text) ?? [];
  return { name, args: args.split(', '), result: Number(result) };
}

/** A string of strace's `-xx`: every byte as \xNN. */
function bytes(argument = ''): Buffer {
  return Buffer.from(argument.replaceAll(/"|\\x/g, ''), 'hex');
}

/** Writes in place where there is room. */
function applied(content: Buffer, { offset, data }: Write): Buffer {
  const missing = offset + data.length - content.length;
  const room = missing > 0 ? Buffer.concat([content, Buffer.alloc(missing)]) : content;
  data.copy(room, offset);
  return room;
}
