/** The module specifiers a source file names, with their lines. */

import type { SourceFile } from './tree.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`. */
const SPECIFIER = /(?:^\s*(?:\}|import\b|export\b)[^'"]*?\bfrom\s+|^\s*import\s+|\bimport\(\s*)'([^']+)'/;

export function importsOf(file: SourceFile): Import[] {
  return file.lines.flatMap((text, index) => {
    if (/^\s*(\/\/|\*|\/\*)/.test(text)) return [];
    const specifier = SPECIFIER.exec(text)?.[1];
    return specifier === undefined ? [] : [{ specifier, line: index + 1 }];
  });
}

/** `@outrigger/core/net` → `@outrigger/core`; undefined for relative paths and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:'))
    return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
