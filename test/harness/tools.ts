/** The programs tests use beside Node: where they are, or why a test that needs one is skipped and what to install. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, findInPath } from '../../scripts/setup/paths.mjs';
import table from './tools.json' with { type: 'json' };

export type SystemTool = keyof typeof table.system;
/** Of newer Debian suites, unpacked into the cache folder by set-up (`npm test`). */
export type UnpackedTool = keyof typeof table.unpacked;
export type ToolName = SystemTool | UnpackedTool;

export interface FoundTool {
  readonly path: string;
  /** The first line that names a version, as the program prints it; asked for when read. */
  readonly version: string;
  readonly missing?: undefined;
}

export interface MissingTool {
  /** Why, and what to install. */
  readonly missing: string;
}

/** What a test may need of the machine that is not a program. */
const ABILITIES = {
  netns: {
    has: () => spawnSync('unshare', ['--net', 'true']).status === 0,
    missing: 'network namespaces cannot be made here (run as root)',
  },
};
export type Ability = keyof typeof ABILITIES;

export function tool(name: ToolName): FoundTool | MissingTool {
  return isSystemTool(name) ? systemTool(name) : unpackedTool(name);
}

/** The path of a tool the test has declared with `needs`; throws when it is missing after all. */
export function toolPath(name: ToolName): string {
  const found = tool(name);
  if (found.missing !== undefined) throw new Error(found.missing);
  return found.path;
}

/** Options for tap's `test`: empty when everything is here, else a skip that says what is missing and how to get it. */
export function needs(...names: readonly (ToolName | Ability)[]): { skip?: string } {
  const reasons = names.flatMap((name) => {
    if (isAbility(name)) return ABILITIES[name].has() ? [] : [ABILITIES[name].missing];
    return tool(name).missing ?? [];
  });
  return reasons.length === 0 ? {} : { skip: reasons.join('; ') };
}

function isAbility(name: string): name is Ability {
  return Object.hasOwn(ABILITIES, name);
}

function isSystemTool(name: ToolName): name is SystemTool {
  return Object.hasOwn(table.system, name);
}

function systemTool(name: SystemTool): FoundTool | MissingTool {
  const entry = table.system[name];
  const path = findInPath(name);
  if (path !== undefined) return found(path, entry.version);
  return { missing: `${name} is missing: apt-get install -y --no-install-recommends ${entry.package}` };
}

/** Where there is no Debian mirror, a program of the right version on the PATH serves as well. */
function unpackedTool(name: UnpackedTool): FoundTool | MissingTool {
  const entry = table.unpacked[name];
  const unpacked = join(cacheDir(), 'tools', name, entry.file);
  if (existsSync(unpacked)) return found(unpacked, entry.version);
  const program = 'start' in entry ? entry.start.as : entry.file.slice(entry.file.lastIndexOf('/') + 1);
  const installed = findInPath(program);
  if (installed !== undefined) {
    const candidate = found(installed, entry.version);
    // Debian puts an epoch before some versions: `5:8.0.2`.
    const series = entry.series.replace(/^\d+:/, '').replaceAll('.', '\\.');
    if (new RegExp(`(^|[^\\d.])${series}`).test(candidate.version)) return candidate;
  }
  return { missing: `${name} is missing: npm test fetches it from Debian, and says why when it cannot` };
}

function found(path: string, versionArguments: readonly string[]): FoundTool {
  return {
    path,
    get version() {
      const { stdout, stderr } = spawnSync(path, versionArguments, { encoding: 'utf8', timeout: 10_000 });
      return (
        `${stdout}\n${stderr}`
          .split('\n')
          .find((line) => /\d+\.\d+/.test(line))
          ?.trim() ?? 'unknown'
      );
    },
  };
}
