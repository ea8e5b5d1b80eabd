// Every key and value of the contract that this version does not enforce (lib/config/not-yet.ts), with a value that the
// contract allows.

import { notYet as lines, refusedBy } from '../../lib/config/not-yet.ts';

const samples: Readonly<Record<string, unknown>> = {
  notify: [{ on: ['failed'], to: 'webhook', url: 'env:CHAT_WEBHOOK', format: 'slack' }],
  'waves.healthCheck': null,
};

const names: Readonly<Record<string, string>> = { projects: 'p', jobs: 'hook' };

/** Path of the fault in the small file, what is put there, and the line of the list that refuses it. */
export const notYet: readonly (readonly [path: string, value: unknown, line: string])[] = lines.flatMap((line) =>
  refusedBy(line).places.map((place): [string, unknown, string] => {
    const path = place.map((step) => (step === '*' ? (names[place[0] ?? ''] ?? step) : step));
    return [path.join('.'), samples[line], line];
  }),
);
