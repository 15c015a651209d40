import { test } from 'tap';
import { elect } from '../../src/topology/roles.ts';
import type { Belief, Incumbent, Member } from '../../src/topology/roles.ts';
import type { Sample } from '../../src/topology/topology.ts';

const master = (name: string, replId: string, previousReplId?: string): Member => ({
  name,
  why: '',
  asked: true,
  sample: { runId: `run-${name}`, role: 'master', replId, previousReplId, offset: 1, syncing: false },
});
const slave = (name: string, replId: string, follows?: string): Member => ({
  name,
  why: '',
  asked: true,
  sample: { runId: `run-${name}`, role: 'slave', replId, offset: 1, syncing: false, follows },
});
const gone = (name: string): Member => ({ name, why: 'ECONNREFUSED', asked: true, sample: undefined });
const configured = (name: string | undefined, why = ''): Belief => ({ kind: 'configured', name, why });
const named = (name: string | undefined, why = ''): Belief => ({ kind: 'named', name, why });
const asked: Belief = { kind: 'asked', why: 'the Service has no ready endpoint' };
const was = (member: Member, meant?: string, sitting = true): Incumbent => ({
  name: member.name,
  sample: member.sample as Sample,
  meant,
  sitting,
});

function verdict(members: Member[], belief: Belief, incumbent?: Incumbent): string {
  const found = elect(members, belief, incumbent);
  return found.primary === undefined ? `none: ${found.why}` : found.primary.name;
}

test('named: it and nobody else, and only if it says so itself', async (t) => {
  t.equal(verdict([master('a', 'h1'), slave('b', 'h1')], named('a')), 'a');
  t.equal(verdict([master('a', 'h1'), slave('b', 'h1')], named('b')), 'none: b says it is a replica');
  t.equal(verdict([slave('b', 'h1', 'a:1')], named('b')), 'none: b says it is a replica of a:1');
  t.equal(verdict([gone('a'), master('b', 'h2', 'h1')], named('a')), 'none: a: ECONNREFUSED');
  t.equal(verdict([master('a', 'h1')], named(undefined, 'no sentinel answers')), 'none: no sentinel answers');
  t.equal(verdict([master('a', 'h1')], named('x')), 'none: x is not among the servers');
  const loading = { ...master('a', 'h1') };
  const member = { ...loading, sample: { ...(loading.sample as Sample), loading: true } };
  t.equal(verdict([member], named('a')), 'none: a is loading its data');
});

test('configured: whoever its data went to when it gave the role up', async (t) => {
  const belief = configured('a');
  t.equal(verdict([master('a', 'h1'), master('b', 'h2')], belief), 'a', 'a stranger among the replicas');
  t.equal(verdict([slave('a', 'h2'), master('b', 'h2', 'h1')], belief), 'b', 'it follows b');
  t.equal(verdict([slave('a', 'h1'), master('b', 'h2', 'h1')], belief), 'b', 'and has not caught up yet');
  t.equal(verdict([slave('a', 'h9', 'b'), master('b', 'h2')], belief), 'b', 'or was just told to');
  t.equal(
    verdict([slave('a', 'h1', 'x:1'), master('b', 'h2')], belief),
    'none: a says it is a replica of x:1; b says it is a primary, but not of its data',
  );
  t.match(
    verdict([slave('a', 'h1'), master('b', 'h2', 'h1'), master('c', 'h3', 'h1')], belief),
    /^none: a says/,
  );
  t.equal(
    verdict([master('b', 'h2')], configured(undefined, 'no primary is configured')),
    'none: no primary is configured',
  );
});

test('configured: a dead primary is succeeded by who was promoted out of its data', async (t) => {
  const belief = configured('a');
  const before = was(master('a', 'h1'), 'a', false);
  t.equal(verdict([gone('a'), slave('b', 'h1')], belief, before), 'none: a: ECONNREFUSED');
  t.equal(verdict([gone('a'), master('b', 'h2', 'h1')], belief, before), 'b');
  t.match(verdict([gone('a'), master('b', 'h2')], belief, before), /not of its data/);
  t.match(verdict([gone('a'), master('b', 'h2', 'h1')], belief), /not of its data/, 'nothing is known of a');
});

test('configured: who took the role keeps it when the dead come back, until it gives it up', async (t) => {
  const belief = configured('a');
  const heir = was(master('b', 'h2', 'h1'), 'a');
  t.equal(verdict([master('a', 'h3'), master('b', 'h2', 'h1')], belief, heir), 'b');
  t.equal(verdict([master('a', 'h3'), slave('b', 'h3')], belief, heir), 'a');
  t.equal(
    verdict([master('a', 'h3', 'h2'), master('b', 'h2', 'h1')], belief, heir),
    'a',
    'promoted out of its data',
  );
  t.equal(
    verdict([master('c', 'h9'), master('b', 'h2')], configured('c'), heir),
    'c',
    'the configuration has changed',
  );
});

test('asked: the only one who says so', async (t) => {
  t.equal(verdict([slave('a', 'h1'), master('b', 'h1')], asked), 'b');
  t.equal(verdict([], asked), 'none: the Service has no ready endpoint');
  t.equal(verdict([slave('a', 'h1')], asked), 'none: no server says it is a primary');
  t.equal(
    verdict([slave('a', 'h1'), gone('b')], asked),
    'none: no server says it is a primary (b: ECONNREFUSED)',
  );
});

test('asked: at first, a claim counts once everybody has been asked, and silence needs a witness', async (t) => {
  const pending: Member = { name: 'b', why: 'not yet asked', asked: false, sample: undefined };
  t.equal(
    verdict([master('a', 'h1'), pending], asked),
    'none: a says it is a primary, and not everybody has been asked yet',
  );
  t.equal(
    verdict([master('a', 'h1'), gone('b'), gone('c')], asked),
    'none: a says it is a primary, but nobody confirms it, and b, c may be one too and does not answer',
  );
  t.equal(verdict([master('a', 'h1'), gone('b'), slave('c', 'h1')], asked), 'a', 'c follows it');
  t.equal(verdict([master('a', 'h2', 'h1'), gone('b')], asked), 'a', 'it was promoted');
  t.equal(verdict([master('a', 'h1')], asked), 'a');
  t.equal(
    verdict([master('a', 'h1'), pending], asked, was(master('a', 'h1'))),
    'a',
    'a newcomer changes nothing',
  );
});

test('asked: a stranger does not take the place of a primary that is silent', async (t) => {
  const before = was(master('a', 'h1'), undefined, false);
  t.equal(verdict([gone('a'), master('b', 'h2', 'h1')], asked, before), 'b', 'promoted out of its data');
  t.equal(verdict([gone('a'), master('b', 'h1')], asked, before), 'b', 'the same data');
  t.equal(
    verdict([gone('a'), master('b', 'h9')], asked, before),
    'none: b says it is a primary, but not of the data of a, which does not answer',
  );
  t.equal(verdict([master('b', 'h9')], asked, before), 'b', 'a has left');
  t.equal(verdict([slave('a', 'h9'), master('b', 'h9')], asked, before), 'b', 'a has given up');
});

test('asked: of several, who was promoted out of the others; else who has been it; else nobody', async (t) => {
  const both = [master('a', 'h1'), master('b', 'h2', 'h1')];
  t.equal(verdict(both, asked), 'b');
  t.equal(verdict(both, asked, was(master('a', 'h1'))), 'b', 'even against who has been it');
  const strangers = [master('a', 'h1'), master('b', 'h2')];
  t.equal(
    verdict(strangers, asked),
    'none: a and b say they are primaries, and nothing tells which: make one a replica of the other',
  );
  t.equal(verdict(strangers, asked, was(master('a', 'h1'))), 'a');
  t.match(
    verdict(strangers, asked, was(master('a', 'h1'), undefined, false)),
    /^none/,
    'not after an interruption',
  );
  const restarted = {
    ...master('a', 'h1'),
    sample: { ...(master('a', 'h1').sample as Sample), runId: 'other' },
  };
  t.match(
    verdict([restarted, master('b', 'h2')], asked, was(master('a', 'h1'))),
    /^none/,
    'nor after a restart',
  );
  const three = [master('a', 'h1'), master('b', 'h2', 'h1'), master('c', 'h9')];
  t.match(verdict(three, asked, was(master('a', 'h1'))), /^none/, "it has an heir, who is not everybody's");
});
