/** A password, from where the configuration says, and the user it is for; never shown. */

import { errorCode, OutriggerError } from '@outrigger/core/errors';
import { readFile } from 'node:fs/promises';
import type { SecretFrom } from '../daemon/config.ts';

export interface Credentials {
  readonly username: string | undefined;
  readonly password: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws AMBASSADOR_NO_PASSWORD. */
export async function readPassword(from: SecretFrom, environment: Environment): Promise<string> {
  const password = from.from === 'file' ? await readSecretFile(from.path) : environment[from.name];
  if (password !== undefined && password !== '') return password;
  const [place, target] = from.from === 'file' ? ['file', from.path] : ['environment variable', from.name];
  throw new OutriggerError(`there is no password in ${place} ${target}`, {
    code: 'AMBASSADOR_NO_PASSWORD',
    target,
    hint: 'put it there, or drop passwordFrom',
  });
}

/** Bytes that are no text would all become the same character, and passwords alike that are not. */
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function readSecretFile(path: string): Promise<string> {
  try {
    return strictText.decode(await readFile(path)).replace(/\r?\n$/, '');
  } catch (error) {
    throw new OutriggerError(`cannot read the password from ${path}: ${errorCode(error)}`, {
      code: 'AMBASSADOR_NO_PASSWORD',
      target: path,
      hint: 'the file must exist, be readable by this user, and be UTF-8 text',
      cause: error,
    });
  }
}
