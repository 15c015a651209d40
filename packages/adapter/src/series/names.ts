/** Whatever an app calls its metrics → names Prometheus accepts. */

/** `web.requests-ok` → `web_requests_ok`; a leading digit gets an underscore before it. */
export function metricName(text: string): string {
  return sanitise(text.replaceAll('--', '-'));
}

export function labelName(text: string): string {
  return sanitise(text);
}

function sanitise(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^[0-9]/.test(name) || name === '' ? `_${name}` : name;
}
