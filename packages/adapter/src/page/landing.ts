/** `/`: what is here, and how the sources are. */

import type { AskedSource } from './ask.ts';

export function landingPage(sources: readonly AskedSource[], series: number, version: string): string {
  const rows = sources.map(({ options, state }) => {
    const health = state === undefined ? 'not asked yet' : state.up ? 'up' : `down: ${state.problem}`;
    const took = state === undefined ? '' : `${Math.round(state.seconds * 1000)} ms`;
    const cells = [options.name, options.endpoint, health, String(state?.series ?? ''), took];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  const table =
    rows.length === 0
      ? '<p>No source is configured: only what is told (StatsD, logs) is here.</p>'
      : `<table><tr><th>source</th><th>endpoint</th><th>state</th><th>series</th><th>took</th></tr>${rows.join('')}</table>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Outrigger adapter</title>
<style>body{font-family:sans-serif;margin:2em}td,th{padding:.2em 1em .2em 0;text-align:left}</style></head>
<body><h1>Outrigger adapter</h1><p>Version ${escapeHtml(version)}</p>
<ul><li><a href="/metrics">/metrics</a>: the scrape page; ${series} series kept</li>
<li>/probe?target=URL&amp;module=NAME: one target, asked now</li></ul>
${table}</body></html>
`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}
