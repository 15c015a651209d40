/** The configuration document: YAML or JSON, either the bare spec or a whole object whose `spec` it is. */

import { isRecord } from '../api/record.ts';
import { OutriggerError } from '../errors/index.ts';

/** The spec in `text`; `source` names the file in errors. Throws CONFIG_INVALID. */
export async function parseDocument(text: string, source: string): Promise<Record<string, unknown>> {
  const { parseDocument: parseYaml } = await import('yaml');
  const document = parseYaml(text, { uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw invalid(source, problem.message.split('\n')[0] ?? 'not YAML');
  }
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) throw invalid(source, 'the document is not a mapping of fields');
  if (!('kind' in value && 'apiVersion' in value)) return value;
  const spec = value['spec'] ?? {};
  if (!isRecord(spec)) throw invalid(source, 'spec is not a mapping of fields');
  return spec;
}

function invalid(source: string, why: string): OutriggerError {
  return new OutriggerError(`${source}: ${why}`, {
    code: 'CONFIG_INVALID',
    target: source,
    hint: 'want YAML or JSON: the fields of the spec, or an object with apiVersion, kind and spec',
  });
}
