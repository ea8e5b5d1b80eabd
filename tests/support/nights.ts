// Representative nights of a small fleet, to be played under each setting of what nobody knows about DCS. Each says what
// goes wrong in it; none says how the run goes: tests/support/promises.ts says what it may not do.

import type { Job } from '../../lib/config.ts';
import type { InstanceSpec } from '../../lib/local/simulator/instance.ts';
import type { CallFault, InstanceScript, Script } from '../../lib/local/simulator/script.ts';
import type { Switches } from '../../lib/local/simulator/unknowns.ts';
import { idOf, instances, jobOf, methodsOf, type Night, type Scenario, scenario } from './scenario.ts';
import { deciding, stopping } from './steering.ts';

/** A scenario under some setting of the switches. */
export type Setting = (switches: Partial<Switches>) => Scenario;

/** Somebody who is never to be touched; in every fleet. */
export const guarded = { 'dcs-autopilot-protected': 'true' };

const protectedOne: InstanceSpec = { id: idOf(99), name: 'cache-guarded', tags: guarded };

const lost: CallFault['answer'] = { kind: 'error', status: 502, applies: true };
const notApplied: CallFault['answer'] = { kind: 'error', status: 502, applies: false };
const dropped: CallFault['answer'] = { kind: 'drop', applies: true };
const cut: CallFault['answer'] = { kind: 'drop', applies: false };

const backingUp: InstanceScript = { busyFromFirstSend: { for: 200_000, task: 'BACKUPING' } };
const extending: InstanceScript = { busyFromFirstSend: { for: 100_000, status: 'EXTENDING' } };
const failing: InstanceScript = { sends: ['failed', 'failed'] };

interface Story {
  readonly specs?: readonly InstanceSpec[];
  readonly script?: Script;
  readonly change?: Partial<Scenario>;
  readonly job?: Partial<Job>;
}

function night(action: Job['action'], count: number, story: Story = {}): Setting {
  const { specs = instances(count), script = {}, change = {}, job = {} } = story;
  return (switches) =>
    scenario(action, count, {
      job: jobOf(action, job),
      fleet: { instances: [...specs, protectedOne], script, switches },
      ...change,
    });
}

/** Something happens to the fleet in the moment before the first call. */
function justBefore(does: (fleet: Night['fleet']) => void): Partial<Scenario> {
  return {
    wrap: (dcs, _, fleet) => {
      let isFirst = true;
      return {
        ...methodsOf(dcs),
        act: async (action, ids) => {
          if (isFirst) does(fleet);
          isFirst = false;
          return dcs.act(action, ids);
        },
      };
    },
  };
}

function answers(nth: readonly number[], answer: CallFault['answer']): Script {
  return { calls: [{ on: 'act', nth, answer }] };
}

function perishing(n: number): Partial<InstanceSpec> {
  return n === 1 ? { cacheMode: 'single' } : n === 2 ? { appendonly: false } : n === 3 ? { status: 'ERROR' } : {};
}

const together = { ...jobOf('flush').waves, canary: { percent: 100 } } as const;
const troubled: Script = { instances: { [idOf(2)]: backingUp, [idOf(3)]: failing, [idOf(4)]: extending } };
const cancelled = { after: 5, does: stopping('cancelled') };

/** The nights by name. */
export const nights: Readonly<Record<string, Setting>> = {
  'a plain flush after a canary': night('flush', 6),
  'a flush of many, some of which fail': night('flush', 60, {
    script: { fail: { share: 0.2, sends: 2 } },
    job: { waves: { ...jobOf('flush').waves, canary: { count: 5 } } },
  }),
  'a flush among busy and failing ones': night('flush', 5, { script: troubled, job: { waves: together } }),
  'a restart that loses data of some': night('restart', 5, { specs: instances(5, perishing) }),
  'a restart among busy and failing ones': night('restart', 5, { script: troubled, job: { waves: together } }),
  'a restart that ends in ERROR': night('restart', 3, {
    script: { instances: { [idOf(2)]: { restartsEnd: ['ERROR'] } } },
  }),
  'a soft restart': night('soft_restart', 5, {
    specs: instances(5, (n) => (n === 4 ? { engine: 'Memcached' } : perishing(n))),
  }),
  'a soft restart of those whose calls fail': night('soft_restart', 3, {
    script: { ...answers([2], lost), instances: { [idOf(1)]: failing } },
    job: { waves: together },
  }),
  'one deleted between plan and send': night('flush', 4, {
    job: { waves: together },
    change: justBefore((fleet) => fleet.set(idOf(2), { status: 'DELETED' })),
  }),
  'one out of order between plan and send': night('flush', 4, {
    job: { waves: together },
    change: justBefore((fleet) => fleet.set(idOf(3), { status: 'ERROR' })),
  }),
  'one that turns old between plan and send': night('flush', 4, {
    job: { waves: together },
    change: justBefore((fleet) => fleet.set(idOf(3), { version: '3.0' })),
  }),
  'ids of which one is nobody’s and one is too old': night('flush', 4, {
    specs: instances(4, (n) => (n === 3 ? { version: '3.0' } : {})),
    job: { waves: together, target: { ...jobOf('flush').target, ids: [1, 2, 3, 4, 50].map(idOf) } },
  }),
  'a flush whose answer is lost': night('flush', 3, {
    specs: instances(3, (n) => (n === 2 ? { keys: 0 } : {})),
    script: answers([1, 2], lost),
  }),
  'one protected between two waves': night('flush', 4, {
    change: { meanwhile: [{ after: 70, does: async ({ fleet }) => fleet.set(idOf(3), { tags: guarded }) }] },
  }),
  'a flush that is lost before it is applied': night('flush', 3, { script: answers([1, 2], notApplied) }),
  'a restart whose answer is lost': night('restart', 3, { script: answers([1, 2], lost) }),
  'a restart that is lost before it is applied': night('restart', 3, { script: answers([1, 2], notApplied) }),
  'a flush whose connection drops': night('flush', 3, {
    script: { calls: [...(answers([1], dropped).calls ?? []), ...(answers([2], cut).calls ?? [])] },
  }),
  'a flush whose answers come too late': night('flush', 3, { script: answers([1, 2], { kind: 'delay', ms: 60_000 }) }),
  'a flush whose answers are nonsense': night('flush', 3, { script: answers([1, 2], { kind: 'malformed' }) }),
  'a flush whose entries are missing': night('flush', 4, {
    script: { instances: { [idOf(2)]: { sends: ['omitted'] }, [idOf(3)]: { sends: ['ignored'] } } },
    job: { waves: together },
  }),
  'a restart whose entries are missing': night('restart', 4, {
    script: { instances: { [idOf(2)]: { sends: ['omitted'] }, [idOf(3)]: { sends: ['ignored'] } } },
    job: { waves: together },
  }),
  'a flush that is answered with 204': night('flush', 3, { script: answers([1], { kind: 'empty' }) }),
  'a restart that is answered with 204': night('restart', 3, { script: answers([1, 2], { kind: 'empty' }) }),
  'a throttled project': night('flush', 4, {
    script: {
      calls: [
        { on: 'act', nth: [1], answer: { kind: 'error', status: 429 } },
        { on: 'act', nth: [2], answer: { kind: 'error', status: 429, retryAfter: 90 } },
        { on: 'reads', nth: [2, 9], answer: { kind: 'error', status: 429 } },
      ],
    },
  }),
  'a project that takes few calls': (switches) => ({
    job: jobOf('flush', { waves: together }),
    fleet: {
      instances: [...instances(12), protectedOne],
      switches,
      rate: { kind: 'window', calls: 14, per: 60_000 },
    },
  }),
  'backups before a flush': night('flush', 3, {
    script: { instances: { [idOf(2)]: { backupsEnd: ['failed'] } } },
    job: { backup: { mode: 'fresh', maxAge: 86_400 }, waves: together, retry: { ...jobOf('flush').retry, for: 7200 } },
  }),
  'an approved flush': night('flush', 3, {
    job: { approval: 'required' },
    change: { meanwhile: [{ after: 600, does: deciding('approved') }] },
  }),
  'a cancelled flush': night('flush', 4, { change: { meanwhile: [cancelled] } }),
  'a flush that stops at its first failure': night('flush', 4, {
    script: answers([1], notApplied),
    job: { waves: { ...jobOf('flush').waves, maxFailures: 1 } },
  }),
  'a ladder': night('soft_restart', 2, {
    job: { ladder: { rungs: ['soft_restart', 'restart'], settle: 900, resetAfter: 1800, rounds: 1 } },
    change: {
      event: {
        trigger: 'alert',
        identity: ['alertmanager', 'Frag', 'f1', '2026-11-23T01:55:00.000Z'],
        requestedBy: 'alert:alertmanager',
        instances: [idOf(1)],
      },
    },
  }),
};
