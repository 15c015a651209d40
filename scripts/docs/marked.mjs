/** Generated parts of a document: everything between `<!-- MARKER: NAME -->` and `<!-- /MARKER -->`. */

/** `render(name, old)` gives the new text of each part. */
export function fillMarked(text, marker, render) {
  const part = new RegExp(`(<!-- ${marker}: ([\\w/-]+) -->\\n)([\\s\\S]*?)(<!-- /${marker} -->)`, 'g');
  return text.replaceAll(part, (_all, begin, name, old, end) => `${begin}${render(name, old)}${end}`);
}

/** Name → text of each part. */
export function markedParts(text, marker) {
  const parts = {};
  fillMarked(text, marker, (name, old) => (parts[name] = old));
  return parts;
}
