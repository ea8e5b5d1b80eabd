// What `npm start` shows where there is no configuration: a fleet of a dozen instances on the bundled simulator, with the
// troubles of a real night in them, and a configuration that a user could have written, in seconds instead of minutes.

import type { FleetOptions } from './simulator/fleet.ts';
import type { InstanceSpec } from './simulator/instance.ts';
import type { Script } from './simulator/script.ts';

/** The job that `npm start` runs at once. */
export const demoJob = 'nightly-flush';

/** Where the demo's simulator expects its calls from. The key is an example and opens nothing else. */
export const demoProjectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
export const demoKey = { ak: 'EXAMPLEDEMOACCESSKEY', sk: 'example-demo-secret-key-of-the-bundled-simulator' };

/** The configuration of the demo, as the text of a file: it is read and checked like any other. */
export function demoConfig(endpoint: string): string {
  return `stage: demo
projects:
  demo:
    region: eu-de
    projectId: ${demoProjectId}
    endpoint: ${endpoint}
    credentials: {aksk: env:DEMO_DCS}
    rate: {callsPerSecond: 50, retriesPerHour: 1000}
targets:
  staging-caches: {project: demo, tags: {env: staging}}
jobs:
  ${demoJob}:
    action: flush
    target: staging-caches
    trigger: {schedule: {cron: "0 2 * * *", timezone: Europe/Berlin}}
    guards: {maxInstances: 12, maxPercent: 100%}
  restart-after-deploy:
    action: soft_restart
    target: staging-caches
    trigger: {webhook: {auth: bearer, secrets: [env:DEMO_HOOK_TOKEN], instances: subset}}
    guards: {maxInstances: 12, maxPercent: 100%}
defaults:
  waves: {canary: 1, size: 50%, soak: 1s, maxFailures: 3}
  retry: {maxAttempts: 6, baseDelay: 1s, maxDelay: 4s, for: 2m}
  verify: {interval: 1s, settle: 4s, timeout: 60s}
`;
}

/** The dozen: ten can be flushed, of which one turns out busy and one fails twice; one is protected, one too old. */
export function demoFleet(): Omit<FleetOptions, 'now'> {
  const timing = {
    lag: { min: 200, max: 600 },
    flush: { min: 1_200, max: 2_500 },
    restart: { min: 3_000, max: 5_000 },
    soft_restart: { min: 2_000, max: 4_000 },
  };
  return { instances: instances(), seed: 1, timing, script };
}

const script: Script = {
  instances: {
    [idOf(4)]: { busyFromFirstSend: { for: 6_000, task: 'BACKUPING' } },
    [idOf(7)]: { sends: ['failed', 'failed'] },
  },
};

const names = [
  'stg-cart-01',
  'stg-cart-02',
  'stg-catalog-01',
  'stg-catalog-02',
  'stg-pricing-01',
  'stg-pricing-02',
  'stg-search-01',
  'stg-search-02',
  'stg-session-01',
  'stg-session-02',
  'stg-billing-01',
  'stg-legacy-01',
];

function instances(): InstanceSpec[] {
  return names.map((name, i) => ({
    id: idOf(i + 1),
    name,
    version: name === 'stg-legacy-01' ? '3.0' : i % 3 === 0 ? '6.0' : '5.0',
    cacheMode: i % 4 === 1 ? 'single' : 'ha',
    keys: 1_000 * (i + 1),
    tags: { env: 'staging', ...(name === 'stg-billing-01' && { 'dcs-autopilot-protected': 'true' }) },
  }));
}

function idOf(number: number): string {
  return `5f0c2a10-7d3e-4b6a-9c1d-${String(number).padStart(12, '0')}`;
}
