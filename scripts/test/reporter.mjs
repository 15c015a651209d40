/** tap's reporter for every terminal and log: a line a test file, each failure in full, the counts to a file for main.mjs. */

import { writeFileSync } from 'node:fs';
import { Transform } from 'node:stream';
import { inspect } from 'node:util';
import { countingParser } from './results.mjs';

/** tap imports the default export, pipes its TAP into an instance and that to stdout. */
export default class Reporter extends Transform {
  #failures = [];
  #counting = countingParser({
    onFile: (file) => this.#tellFile(file),
    onFailure: (assertion, path) => this.#failures.push({ assertion, path }),
  });

  _transform(chunk, encoding, done) {
    this.#counting.parser.write(chunk);
    done();
  }

  _flush(done) {
    this.#counting.parser.end();
    this.#tellFailures();
    const target = process.env.OUTRIGGER_TEST_RESULTS;
    if (target !== undefined) writeFileSync(target, JSON.stringify(this.#counting.results));
    done();
  }

  #tellFile({ file, ms, ok }) {
    this.push(`${ok ? '✓' : '✗'} ${file} (${Math.round(ms)} ms)\n`);
    this.#tellFailures();
  }

  #tellFailures() {
    for (const { assertion, path } of this.#failures) this.push(failureText(assertion, path));
    this.#failures = [];
  }
}

function failureText({ name, diag }, path) {
  const title = `    ✗ ${[...path.slice(1), name].join(' › ')}\n`;
  if (diag === null) return title;
  const { stack, at, source, diff, ...rest } = diag;
  const place = at ? `at ${at.fileName}:${at.lineNumber}:${at.columnNumber}` : '';
  const parts = [place, source, diff ?? inspect(rest, { depth: 6 }), stack].filter(Boolean);
  return `${title}${parts.join('\n').trimEnd().replaceAll(/^/gm, '        ')}\n`;
}
