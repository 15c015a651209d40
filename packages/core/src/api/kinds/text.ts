/** Small pieces of table text that several kinds print alike. */

/** The first three, then `+ n more...` behind the joint; `none` where the list is empty. */
export function firstFew(items: readonly string[], joint: string, none: string): string {
  if (items.length === 0) return none;
  const shown = items.slice(0, 3).join(',');
  return items.length > 3 ? `${shown}${joint}${items.length - 3} more...` : shown;
}
