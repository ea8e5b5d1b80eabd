// Native ESM with a transform of our own: jest's CommonJS mode cannot load middy 7 (ESM only).
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tests/support/transform.js' },
  modulePathIgnorePatterns: ['<rootDir>/.serverless', '<rootDir>/.esbuild', '<rootDir>/.autopilot'],
  coverageProvider: 'babel',
  collectCoverageFrom: ['lib/*.ts'],
};
