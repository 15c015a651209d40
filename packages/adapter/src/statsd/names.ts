/** Names as statsd_exporter makes them: each character Prometheus has no place for becomes an underscore. */

/** `web.requests--ok` → `web_requests_ok`; a leading digit gets an underscore before it; empty stays empty. */
export function escapeName(text: string): string {
  // Several dashes in a row are one: `a--b` is what some clients make of an empty field.
  const name = text.replace(/-{2,}/g, '-').replace(/[^a-zA-Z0-9_]/gu, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
