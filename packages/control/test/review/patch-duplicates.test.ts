/** A field given twice in a patch is told of as one in a body is: the client meant one of the two. */

import { test } from 'tap';
import { service, services, startControl } from '../harness.ts';

const twice = '{"metadata":{"labels":{"a":"1","a":"2"}}}';

test('fieldValidation looks for fields given twice in a patch', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  for (const type of ['merge-patch', 'strategic-merge-patch']) {
    const patch = (validation: string) =>
      control.request('PATCH', `${services}/web?dryRun=All&fieldValidation=${validation}`, twice, {
        'content-type': `application/${type}+json`,
      });
    t.match(await patch('Strict'), {
      status: 400,
      body: { message: /strict decoding error: duplicate field "metadata\.labels\.a"/ },
    });
    const warned = await patch('Warn');
    t.equal(warned.status, 200);
    t.match(warned.headers['warning'], /duplicate field \\"metadata\.labels\.a\\"/);
    t.equal((await patch('Ignore')).headers['warning'], undefined);
  }
});
