import { test } from 'tap';
import { accept } from '../../src/handlers/accept.ts';

const forms = ['plain', 'table', 'partial'] as const;

test('the first that can be served is taken, best quality first', (t) => {
  const chosen = (header: string | undefined) => accept(header, forms);
  t.same(chosen(undefined), { format: 'json', form: 'plain' });
  t.same(chosen('*/*'), { format: 'json', form: 'plain' });
  t.same(chosen('application/vnd.kubernetes.protobuf, application/json'), { format: 'json', form: 'plain' });
  t.same(chosen('application/yaml;q=0.5, application/json;q=0.1'), { format: 'yaml', form: 'plain' });
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  t.same(chosen(`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`), {
    format: 'json',
    form: 'table',
  });
  t.same(chosen('application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json'), {
    format: 'json',
    form: 'plain',
  });
  t.end();
});

test('nothing that can be served is 406, with what can', (t) => {
  const refused = {
    httpStatus: 406,
    message: /^only the following media types are accepted: application\/json/,
  };
  t.throws(() => accept('text/html', forms), refused);
  t.throws(() => accept('application/json;q=0', forms), refused);
  t.throws(() => accept('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', ['plain']), refused);
  t.end();
});
