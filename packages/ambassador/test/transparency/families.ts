/** Every family of programs. Data commands, and what concerns connections. */

import type { Program } from './program.ts';
import { blocking } from './programs/blocking.ts';
import { clients, monitor, tracking } from './programs/clients.ts';
import { hashes, lists, sets } from './programs/collections.ts';
import { keys } from './programs/keys.ts';
import { nodeLocal } from './programs/node-local.ts';
import { publishing } from './programs/publishing.ts';
import { functions, scripts } from './programs/scripts.ts';
import { server } from './programs/server.ts';
import { sessions, wire } from './programs/sessions.ts';
import { geo, sortedSets } from './programs/sorted-sets.ts';
import { streams } from './programs/streams.ts';
import { bitmaps, hyperloglogs, strings } from './programs/strings.ts';
import { transactions } from './programs/transactions.ts';

export const dataFamilies: readonly (readonly Program[])[] = [
  strings,
  bitmaps,
  hyperloglogs,
  keys,
  hashes,
  lists,
  sets,
  sortedSets,
  geo,
  streams,
  scripts,
  functions,
];

export const connectionFamilies: readonly (readonly Program[])[] = [
  transactions,
  blocking,
  publishing,
  sessions,
  wire,
  clients,
  tracking,
  monitor,
  server,
];

/** Only where every read goes to the primary. */
export const primaryFamilies: readonly (readonly Program[])[] = [nodeLocal];
