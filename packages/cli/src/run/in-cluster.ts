/** Where a pod finds its API server: the one place where variables of Kubernetes' Services are read. */

/** `HOST:PORT`; undefined outside of pods. */
export function inClusterAddress(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port =
    environment['KUBERNETES_SERVICE_PORT_HTTPS'] ?? environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined || host === '') return undefined;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
