/** Writing a file so that after a crash at any moment the old or the new content is there, whole. */

import { nextTurn } from '../../clock/index.ts';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../errors/index.ts';

const ownerOnly = 0o600;
const writeAnew = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** Bytes gathered before a write. */
const batchBytes = 256 * 1024;

/** Undefined when there is none. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the bytes written. Draws `chunks` with a turn of the event loop between two of them. */
export async function writeAtomically(file: string, chunks: Iterable<string>): Promise<number> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, writeAnew, ownerOnly);
  let bytes = 0;
  try {
    // A left-over of a crash may have had another mode.
    await handle.chmod(ownerOnly);
    bytes = await writeAll(handle, chunks);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncDirectory(dirname(file));
  return bytes;
}

async function writeAll(handle: FileHandle, chunks: Iterable<string>): Promise<number> {
  let bytes = 0;
  let waiting: string[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    const content = Buffer.from(waiting.join(''));
    await handle.appendFile(content);
    bytes += content.length;
    waiting = [];
    size = 0;
  };
  for (const chunk of chunks) {
    waiting.push(chunk);
    size += chunk.length;
    if (size >= batchBytes) await write();
    else await nextTurn();
  }
  await write();
  return bytes;
}

/** The rename itself is durable only once the directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
