// The composition root on AWS. Its state, starter and secrets come with the next version; until then the functions
// package, and say what they are missing.

import { AutopilotError } from '../errors.ts';
import type { World } from '../run.ts';
import type { Runtime } from '../runtime.ts';
import { packagedConfig } from './config.ts';

/** The runtime of a door on AWS. Rejects with AutopilotError `aws_not_supported_yet`. */
export async function awsRuntime(): Promise<Runtime> {
  throw notSupportedYet();
}

/** The world that runs work in on AWS. Rejects with AutopilotError `aws_not_supported_yet`. */
export async function awsWorld(): Promise<World> {
  throw notSupportedYet();
}

/** For the sender, what is missing; for the log, as its cause, what this package holds. */
function notSupportedYet(): AutopilotError {
  const jobs = Object.keys(packagedConfig.jobs).join(', ') || 'none';
  return new AutopilotError(
    'aws_not_supported_yet',
    'This version runs on one machine (npm start); on AWS its functions package but do not run yet.',
    { cause: new Error(`packaged for stage ${packagedConfig.stage}; jobs: ${jobs}`) },
  );
}
