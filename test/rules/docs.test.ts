/** What the documents point at is there: files, headings, npm scripts. */

import { dirname, join } from 'node:path';
import { test } from 'tap';
import { report } from './problems.ts';
import type { Problem } from './problems.ts';
import { exists, files, rootManifest } from './tree.ts';
import type { SourceFile } from './tree.ts';

const LINK = /\[[^\]]*\]\(([^)\s]+)(?: "[^"]*")?\)/g;

test('every link leads to a file or a heading', (t) => {
  const documents = files('.md');
  report(
    t,
    'links',
    documents.flatMap((file) => brokenLinks(file, documents)),
  );
  t.end();
});

function brokenLinks(file: SourceFile, documents: readonly SourceFile[]): Problem[] {
  return linesOutsideCode(file).flatMap(({ text, line }) =>
    [...text.matchAll(LINK)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file.path : join(dirname(file.path), path);
      if (!exists(to))
        return [{ path: file.path, line, what: `${target} does not exist. Mend or remove the link.` }];
      const document = documents.find((one) => one.path === to);
      if (anchor === undefined || document === undefined || anchors(document).has(anchor)) return [];
      return [{ path: file.path, line, what: `${to} has no heading #${anchor}. Mend the link.` }];
    }),
  );
}

function linesOutsideCode(file: SourceFile): { text: string; line: number }[] {
  let inCode = false;
  return file.lines.flatMap((text, index) => {
    if (text.startsWith('```')) inCode = !inCode;
    return inCode ? [] : [{ text: text.replaceAll(/`[^`]*`/g, ''), line: index + 1 }];
  });
}

/** As the usual hosts make them: lower case, punctuation gone, spaces to dashes. */
function anchors(file: SourceFile): Set<string> {
  const headings = file.lines.flatMap((text) => /^#+ (.*)$/.exec(text)?.[1] ?? []);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every npm script a document names exists', (t) => {
  const scripts = rootManifest().scripts ?? {};
  const problems = files('.md').flatMap((file) =>
    file.lines.flatMap((text, index) =>
      [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].flatMap(([, run, short]) => {
        const name = run ?? short ?? '';
        if (scripts[name] !== undefined) return [];
        return [
          { path: file.path, line: index + 1, what: `there is no npm script '${name}'. Mend the command.` },
        ];
      }),
    ),
  );
  report(t, 'npm scripts', problems);
  t.end();
});
