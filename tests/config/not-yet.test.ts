// The list of what is not enforced yet: it refuses what it names, wherever that may stand, and nothing beside it.

import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '../../lib/config/file.ts';
import { notYetFaults } from '../../lib/config/not-yet.ts';
import { faultsOf, textWith } from '../support/config-text.ts';

/** The faults of a text when only these lines hold. */
function faultsWith(lines: readonly string[], path: string, value: unknown): readonly string[] {
  return faultsOf(textWith(path, value), 'a', (text, file) => checkConfig(text, file, 'anywhere', lines).config);
}

describe('a line of the list', () => {
  it.each([
    ['window', { jobs: { a: { window: 1 }, b: {} }, defaults: { window: null } }, ['jobs.a.window', 'defaults.window']],
    [
      'projects.*.freeze',
      { projects: { a: { freeze: [] }, b: { freeze: [] } } },
      ['projects.a.freeze', 'projects.b.freeze'],
    ],
    ['sources.grafana', { sources: { grafana: {}, smn: {} } }, ['sources.grafana']],
    ['waves.healthCheck', { defaults: { waves: { healthCheck: null } } }, ['defaults.waves.healthCheck']],
    ['guards.onExceed: trim', { defaults: { guards: { onExceed: 'trim' } } }, ['defaults.guards.onExceed']],
    ['guards.onExceed: trim', { defaults: { guards: { onExceed: 'refuse' } } }, []],
    ['jobs.*.ladder', { jobs: [{ ladder: {} }], defaults: { ladder: {} } }, []],
    ['notify', null, []],
    ['notify', {}, []],
  ])('refuses `%s` in %j', (line, file, paths) => {
    expect(notYetFaults(file, [line]).map(({ path }) => path.join('.'))).toEqual(paths);
  });

  it('refuses a key with its line and its name, and says nothing else about it', () => {
    expect(faultsWith(['cooldown'], 'jobs.hook.cooldown', 'soon')).toEqual([
      'a:43: jobs.hook.cooldown: `cooldown` is not supported yet',
    ]);
  });

  it('names a single value with its key', () => {
    expect(faultsWith(['guards.onExceed: trim'], 'jobs.hook.guards', { onExceed: 'trim' })).toEqual([
      expect.stringMatching(/jobs\.hook\.guards\.onExceed: `onExceed: trim` is not supported yet$/),
    ]);
  });

  it('that is gone lets the key pass', () => {
    expect(faultsWith([], 'jobs.hook.cooldown', '30m')).toEqual([]);
  });
});
