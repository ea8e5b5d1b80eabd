// A command line that cannot be understood: told with the usage, exit code 64 (EX_USAGE of sysexits.h).

import { AutopilotError } from '../errors.ts';

/** Thrown by commands for arguments that make no sense; main answers with the usage. */
export class UsageError extends AutopilotError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('usage', message);
  }
}
