// The shape of autopilot.yml, as a user writes it: which keys there are, what each takes, what each means. The JSON Schema
// for editors is generated from it. Defaults are in resolve.ts, what spans several keys in references.ts.

import * as v from 'valibot';
import { actions, rights } from '../config.ts';
import { alertStorm, notify, sources } from './alerting.ts';
import { closed, isMapping, may, named, says } from './keys.ts';
import { ladder, policies } from './policies.ts';
import { freezes } from './times.ts';
import { trigger } from './triggers.ts';
import { duration, endpoint, instanceId, listOf, oneOf, ref, tag, tagValue, text, textLike, whole } from './values.ts';
import type { Path } from './yaml.ts';

/** The form of a job's name: it is part of run ids and of URLs. */
export const jobName = /^[a-z][a-z0-9-]{0,39}$/;

const name = textLike(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'expected a name of up to 64 letters, digits, dots, hyphens and underscores that starts with a letter or digit',
);

const tags = named(text, tagValue);
const ids = v.pipe(
  listOf(instanceId),
  v.transform((list) => [...new Set(list)]),
);

const project = closed({
  region: says(
    textLike(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected a region such as eu-de or ap-southeast-3'),
    'Region; part of the default endpoint',
  ),
  projectId: may(
    textLike(/^[A-Za-z0-9]{8,64}$/, 'expected the id of the project: 8 to 64 letters and digits'),
    'Id of the Huawei Cloud project; where it is left out, the one that is named like the region is looked up',
  ),
  endpoint: may(endpoint, 'DCS endpoint; plain http on loopback only. Default: https://dcs.<region>.myhuaweicloud.com'),
  credentials: says(
    closed({
      aksk: may(
        ref,
        'env:PREFIX (PREFIX_AK, PREFIX_SK, …), or a secret of JSON {ak, sk, securityToken?, domainId?, agency?}',
      ),
      iam: may(ref, 'A secret of JSON {domain, user, password, agency?}'),
      iamEndpoint: may(endpoint, 'Endpoint of IAM. Default: https://iam.<region>.myhuaweicloud.com'),
    }),
    'In whose name DCS is called',
  ),
  ca: may(ref, 'A secret of certificates in PEM that are trusted too, such as those of a proxy that inspects TLS'),
  protectedTag: may(tag, 'Instances with this tag are never touched. Default: dcs-autopilot-protected=true'),
  allowTag: may(
    textLike(/^[^=\s][^=]*$/, 'expected the key of a tag'),
    'Destructive work only where the value of this tag lists the action',
  ),
  freeze: may(freezes, 'Times in which nothing runs'),
  rate: may(
    closed({
      callsPerSecond: may(whole(1, 1000), 'DCS calls per second. Default: 10'),
      retriesPerHour: may(whole(1, 1_000_000), 'Retried calls per hour. Default: 200'),
    }),
    'Limits that all runs of the project share',
  ),
  timeout: may(duration(), 'When one DCS call is given up. Default: 30s'),
});

const selector = {
  tags: may(tags, 'Tags that must all match'),
  names: may(listOf(text), 'Globs (* and ?) over names; any may match'),
  ids: may(ids, 'Ids of instances; any may match'),
};

const target = v.pipe(
  closed({
    project: says(name, 'The project whose instances are selected'),
    ...selector,
    exclude: may(closed(selector), 'Instances that match any one of these lists are left out'),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (selectsByNothing(dataset.value)) {
      addIssue({ message: 'selects by nothing; write names: ["*"] for the whole project' });
    }
  }),
);

function selectsByNothing(target: unknown): boolean {
  if (!isMapping(target)) return false;
  return ['tags', 'names', 'ids'].every((key) => Object.keys(Object(target[key] ?? {})).length === 0);
}

const rightsWanted = `expected a list of rights: ${rights.join(', ')}`;

const operator = closed({
  token: says(ref, 'Name of the secret that is their token'),
  may: says(v.pipe(v.array(oneOf(rights), rightsWanted), v.minLength(1, rightsWanted)), 'What they are allowed to do'),
});

const job = closed({
  action: may(oneOf(actions), 'What is done to each instance'),
  ladder: may(ladder, 'Several actions instead of one, the next where an alert stays; with an alert only'),
  target: says(name, 'The target whose instances it is done to'),
  trigger: says(trigger, 'What starts the job'),
  ...policies,
});

/** The whole file. */
export const configFile = closed({
  stage: may(
    textLike(/^[a-z0-9][a-z0-9-]{0,19}$/, 'expected up to 20 lower-case letters, digits and hyphens'),
    "Part of every run's identity. Default: prod",
  ),
  projects: says(named(name, project), 'Huawei Cloud projects by name'),
  targets: says(named(name, target), 'Selections of instances by name'),
  operators: may(named(name, operator), 'People and systems that may come in through the console, by name'),
  sources: may(sources, 'Where alerts come from'),
  jobs: says(
    named(
      textLike(jobName, 'expected a name of up to 40 lower-case letters, digits and hyphens that starts with a letter'),
      job,
    ),
    'Jobs by name',
  ),
  defaults: may(closed(policies), 'What holds for every job that does not say otherwise'),
  alertStorm: may(alertStorm, 'When alerts are so many that no job starts by them'),
  notify: may(notify, 'Who is told of runs'),
});

/** The file after its values were read: durations in seconds, shares in percent, no defaults yet. */
export type ConfigFile = v.InferOutput<typeof configFile>;

/**
 * Where plain YAML numbers and booleans are taken as they are written: values of tags and of a `match`, and ids made of
 * digits.
 */
export function isText(path: Path): boolean {
  const [root, , key, inner] = path;
  if (root === 'projects') return path.length === 3 && key === 'projectId';
  if (root === 'targets') return (path.length === 4 && key === 'tags') || (path.length === 5 && inner === 'tags');
  return (
    (path.at(-2) === 'values' && path.at(-3) === 'order') ||
    (path.at(-2) === 'match' && (path.at(-3) === 'webhook' || path.at(-3) === 'alert'))
  );
}
