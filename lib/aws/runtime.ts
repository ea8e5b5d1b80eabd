// The composition root on AWS. Its state, starter and secrets come with the next version; until then the functions
// package, and say what they are missing.

import { AutopilotError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

/** The runtime of a function on AWS. Rejects with AutopilotError `aws_not_supported_yet`. */
export async function awsRuntime(): Promise<Runtime> {
  throw new AutopilotError(
    'aws_not_supported_yet',
    'This version runs on one machine (npm start); on AWS its functions package but do not run yet.',
  );
}
