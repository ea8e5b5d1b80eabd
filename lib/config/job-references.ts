// What can only be judged by looking at several keys of a job at once: what it does, and what alerts have to do with it.

import { builtIn } from './defaults.ts';
import { didYouMean, isMapping } from './keys.ts';
import { member, type ReferenceFault } from './plain.ts';

/**
 * A job that says neither or both of `action` and `ladder`, a ladder without an alert or with a flush that nobody approves,
 * an alert of a source that is not there.
 */
export function jobFaults(file: unknown, name: string, job: unknown): readonly ReferenceFault[] {
  if (!isMapping(job)) return [];
  return [...actionFaults(name, job), ...ladderFaults(file, name, job), ...sourceFaults(file, name, job)];
}

function actionFaults(name: string, job: unknown): ReferenceFault[] {
  const stated = ['action', 'ladder'].filter((key) => member(job, key) !== undefined);
  if (stated.length === 1) return [];
  return [{ path: ['jobs', name], message: 'needs exactly one of `action` and `ladder`' }];
}

function ladderFaults(file: unknown, name: string, job: unknown): ReferenceFault[] {
  const ladder = member(job, 'ladder');
  if (ladder === undefined) return [];
  const path = ['jobs', name, 'ladder'];
  const trigger = member(job, 'trigger');
  const rungs = member(ladder, 'rungs');
  const approval = member(job, 'approval') ?? member(member(file, 'defaults'), 'approval') ?? builtIn.approval;
  const isWild = Array.isArray(rungs) && rungs.includes('flush') && approval !== 'required';
  return [
    ...(isMapping(trigger) && member(trigger, 'alert') === undefined
      ? [{ path, message: 'only with an alert as the trigger: the next rung is for an alert that stays' }]
      : []),
    ...(isWild ? [{ path: [...path, 'rungs'], message: 'a ladder with flush needs `approval: required`' }] : []),
  ];
}

function sourceFaults(file: unknown, name: string, job: unknown): ReferenceFault[] {
  const source = member(member(member(job, 'trigger'), 'alert'), 'source');
  const known = Object(member(file, 'sources') ?? {});
  if (typeof source !== 'string' || Object.hasOwn(known, source)) return [];
  const message = `there is no source of this name${didYouMean(source, Object.keys(known))}`;
  return [{ path: ['jobs', name, 'trigger', 'alert', 'source'], message }];
}
