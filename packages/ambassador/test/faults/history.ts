/**
 * What clients did and what they were told, in a form that checkers can judge.
 *
 * Every key is a list that only one client appends to, and every entry names its key and a number that rises: so the list
 * a server holds in the end is the full story of the key. An entry that is missing was lost, one that is there twice was
 * executed twice, and any answer that ever showed an entry can be dated.
 */

export type Action =
  /** RPUSH of an entry, alone, in a transaction or by a script. */
  | { readonly kind: 'append'; readonly key: string; readonly seq: number; readonly via: Via }
  /** LINDEX key -1: the newest entry. */
  | { readonly kind: 'last'; readonly key: string }
  /** ECHO of a word nobody else sends. */
  | { readonly kind: 'echo'; readonly word: string };

export type Via = 'plain' | 'transaction' | 'script';

export interface Op {
  readonly action: Action;
  /** One connection of one client: what promises of consistency are given to. */
  readonly session: number;
  /** `performance.now()`. */
  readonly sentAt: number;
  /** All its replies as they came, as latin1; undefined when the connection ended before. */
  reply: string | undefined;
  answeredAt: number;
}

/** In the order in which they were sent, of all sessions. */
export type History = readonly Op[];

/** Key → its entries at the primary when all was over. */
export type Outcome = ReadonlyMap<string, readonly string[]>;

/** A time in which servers may lose what they have acknowledged: from the death of a primary to the next one's election. */
export interface Upheaval {
  readonly from: number;
  readonly to: number;
}

/** What became of a write, as its client was told. */
export type Told =
  | 'acknowledged'
  /** Sent and not answered: it says so itself. */
  | 'unknown'
  /** Any other error: it was not executed. */
  | 'refused'
  /** The client's own connection ended: it knows nothing. */
  | 'dropped';

export function entry(key: string, seq: number): string {
  return `${key}#${seq}`;
}

/** The number of an entry of `key`; undefined when it is none. */
export function seqOf(key: string, text: string): number | undefined {
  if (!text.startsWith(`${key}#`)) return undefined;
  const seq = Number(text.slice(key.length + 1));
  return Number.isInteger(seq) ? seq : undefined;
}

export function told({ reply }: Op): Told {
  if (reply === undefined) return 'dropped';
  if (lengthTold(reply) !== undefined) return 'acknowledged';
  return reply.includes('-OUTRIGGER write outcome unknown') ? 'unknown' : 'refused';
}

/** The new length of the list, which tells that the entry is in; a transaction's reply is several, and may hold it. */
export function lengthTold(reply: string): number | undefined {
  const length = /(?:^|\r\n):(\d+)\r\n/.exec(reply)?.[1];
  return length === undefined ? undefined : Number(length);
}

/** What a read has shown: the number of the newest entry, −1 of an empty list; undefined when it was not answered. */
export function shown({ action, reply }: Op): number | undefined {
  if (action.kind !== 'last' || reply === undefined) return undefined;
  if (reply === '$-1\r\n' || reply === '_\r\n') return -1;
  const text = /^\$\d+\r\n(.*)\r\n$/.exec(reply)?.[1];
  return text === undefined ? undefined : seqOf(action.key, text);
}

/** Whether one of its replies is an error. */
export function failed({ reply }: Op): boolean {
  return reply !== undefined && /(?:^|\r\n)-/.test(reply);
}

/** Whether this moment is in one of them. */
export function during(upheavals: readonly Upheaval[], at: number): boolean {
  return upheavals.some(({ from, to }) => from <= at && at <= to);
}

export function describe({ action, session, sentAt, answeredAt, reply }: Op): string {
  const what =
    action.kind === 'append'
      ? `append ${entry(action.key, action.seq)} (${action.via})`
      : `${action.kind} ${action.kind === 'last' ? action.key : action.word}`;
  const when = `sent at ${sentAt.toFixed(1)}, answered at ${answeredAt.toFixed(1)}`;
  return `session ${session}: ${what}, ${when}: ${JSON.stringify(reply?.slice(0, 200))}`;
}
