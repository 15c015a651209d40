/** What is found in a document → a number, as json_exporter takes it. */

import { numberOf } from '../prometheus/line.ts';

/** Numbers; texts of numbers; true and false, also as texts; null is NaN. Undefined for anything else. */
export function numberIn(value: unknown): number | undefined {
  switch (typeof value) {
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return numberOf(value) ?? truth(value);
    default:
      return value === null ? NaN : undefined;
  }
}

function truth(text: string): number | undefined {
  if (/^(?:t|T|true|True|TRUE)$/.test(text)) return 1;
  return /^(?:f|F|false|False|FALSE)$/.test(text) ? 0 : undefined;
}
