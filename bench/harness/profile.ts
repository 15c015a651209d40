/** A V8 CPU profile as a table: the functions that were running themselves, heaviest first. */

import { readFileSync } from 'node:fs';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const rowsShown = 30;
/** What the profiler calls waiting in the kernel. */
const waiting = '(idle)';

export function renderProfile(file: string): string {
  const self = selfTimes(JSON.parse(readFileSync(file, 'utf8')) as Profile);
  const busy = [...self].filter(([name]) => name !== waiting).toSorted((a, b) => b[1] - a[1]);
  const total = busy.reduce((sum, [, micros]) => sum + micros, 0);
  const lines = busy
    .slice(0, rowsShown)
    .map(
      ([name, micros]) =>
        `| ${((micros / total) * 100).toFixed(1)} % | ${(micros / 1000).toFixed(0)} | ${name} |`,
    );
  return ['| of busy time | self, ms | function |', '| --- | --- | --- |', ...lines].join('\n');
}

/** Microseconds by function, over all the stacks it stood on. */
function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const names = new Map(nodes.map((node) => [node.id, name(node.callFrame)]));
  const self = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const of = names.get(id) ?? '(unknown)';
    self.set(of, (self.get(of) ?? 0) + (timeDeltas[i] ?? 0));
  }
  return self;
}

function name({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const called = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return called;
  const place = /(?:packages\/)?([^/]+\/(?:dist\/)?(?:[^/]+\/)?[^/]+)$/.exec(url)?.[1] ?? url;
  return `${called} ${place}:${lineNumber + 1}`;
}
