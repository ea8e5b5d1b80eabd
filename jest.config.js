// Native ESM with a transform of our own: jest's CommonJS mode cannot load middy 7 (ESM only).
import { availableParallelism } from 'node:os';
import { chromiumPath } from './tests/support/chromium.js';

const needsBrowser = '<rootDir>/tests/page/browser.test.ts';
// Where everything is checked nothing is left out: there the tests fail that find no browser.
const hasBrowser = chromiumPath() !== undefined || process.env['CI'] !== undefined;
if (!hasBrowser) {
  process.stderr.write(
    'tests/page/browser.test.ts is skipped because there is no Chromium (Debian: apt install chromium; or CHROMIUM=path)\n',
  );
}

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  testPathIgnorePatterns: hasBrowser ? [] : [needsBrowser],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tests/support/transform.js' },
  modulePathIgnorePatterns: ['<rootDir>/.serverless', '<rootDir>/.esbuild', '<rootDir>/.autopilot'],
  // Jest leaves one core alone, which on a machine with two is half of it; and tests with processes of their own wait a lot.
  maxWorkers: Math.max(4, availableParallelism()),
  // A limit for hangs only: several tests start processes, and a machine may be busy.
  testTimeout: 120_000,
  // The transform above does not instrument, V8 does without.
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/*.ts', 'lib/{config,doors,episode,execute,guards,match,plan,report,schedule}/*.ts'],
};
