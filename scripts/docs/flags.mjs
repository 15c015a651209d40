/** The flags of a command, read from its `--help`, and as rows of a table. */

/** Flags that several commands share, described once: by the process, and by the connection to a control service. */
export const sharedFlags = {
  process: ['config', 'state-dir', 'drain-timeout', 'log-level', 'log-format'],
  connection: [
    'control',
    'control-ca',
    'control-token-file',
    'control-cert',
    'control-key',
    'kubeconfig',
    'context',
    'in-cluster',
    'namespace',
    'shrink-hold',
  ],
};

/** `  --name VALUE …    what it does; one of a, b; default c` → its pieces. */
export function parseHelp(help) {
  return help.split('\n').flatMap((line) => {
    const found = /^ {2}--([\w-]+)((?: VALUE| N)?(?: …)?) +(.*)$/.exec(line);
    if (found === null) return [];
    const [, name, value, text] = found;
    const [, meaning, fallback = ''] = /^(.*?)(?:; default (.*))?$/.exec(text);
    return [{ name, value, meaning, default: fallback }];
  });
}

/** Rows, with the last cell of the row that was there. */
export function renderFlags(flags, old) {
  const notes = new Map(rowsOf(old).map(({ name, note }) => [name, note]));
  const rows = flags.map(({ name, value, meaning, default: fallback }) => {
    const cells = [`\`--${name}\`${value}`, meaning, fallback === '' ? '–' : `\`${fallback}\``];
    return `| ${[...cells, notes.get(name) ?? ''].join(' | ')} |\n`;
  });
  return `| flag | meaning | default | raised, lowered or set |\n|---|---|---|---|\n${rows.join('')}`;
}

/** The rows of a table as written by `renderFlags`. */
export function rowsOf(table) {
  return table.split('\n').flatMap((line) => {
    const found = /^\| `--([\w-]+)`[^|]*\|[^|]*\| ([^|]*) \| ([^|]*) \|$/.exec(line);
    if (found === null) return [];
    const [, name, fallback, note] = found;
    return [{ name, default: fallback === '–' ? '' : fallback.replaceAll('`', ''), note }];
  });
}
