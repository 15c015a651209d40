/** The rings of the tests (pure units, simulations, real things, repository rules), told by where a file is and what it uses. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

/** In the order they run: what fails fastest first. */
const RINGS = [
  { name: 'rules', has: (file) => file.startsWith('test/rules/') },
  { name: 'real things', has: (file, text) => file.startsWith('test/integration/') || USES_REAL.test(text) },
  {
    name: 'simulations',
    has: (file, text) => file.startsWith('test/simulations/') || USES_SIMULATION.test(text),
  },
  { name: 'units', has: () => true },
];
const ORDER = ['units', 'rules', 'simulations', 'real things'];
const USES_REAL = /\b(needs|tool|startRedis|startProcess)\(/;
const USES_SIMULATION = /\bnew MemoryNet\(/;

export function ringOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return RINGS.find((ring) => ring.has(file, text)).name;
}

/** Files sorted by ring, units first. */
export function byRing(files) {
  const rings = new Map(files.map((file) => [file, ORDER.indexOf(ringOf(file))]));
  return files.toSorted((a, b) => rings.get(a) - rings.get(b));
}

/** One row a ring: files, and how long they took together (two run at a time). */
export function ringTable(results) {
  const rows = ORDER.flatMap((ring) => {
    const files = results.filter(({ file }) => ringOf(file) === ring);
    if (files.length === 0) return [];
    const ms = files.reduce((sum, file) => sum + file.ms, 0);
    return `${ring.padEnd(12)} ${String(files.length).padStart(4)} files ${(ms / 1000).toFixed(1).padStart(7)} s`;
  });
  return rows.join('\n');
}
