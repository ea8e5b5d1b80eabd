// The configuration that a function was packaged with. Packaging puts the compiled autopilot.yml in this file's place
// (see packaging.ts), so that a function starts with a ready object; unpackaged, and packaged without one, it is empty.

import { alertStorm } from '../config/defaults.ts';
import type { Config } from '../config.ts';

/** The compiled configuration; without jobs where there was no autopilot.yml. */
export const packagedConfig: Config = {
  stage: 'prod',
  projects: {},
  operators: [],
  sources: {},
  alertStorm,
  notify: [],
  jobs: {},
};
