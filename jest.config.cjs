process.env.TZ = 'UTC';

/** @type {import('jest').Config} */
const collector = {
  displayName: 'collector',
  testEnvironment: 'node',
  roots: [
    '<rootDir>/contract',
    '<rootDir>/collector/src',
    '<rootDir>/bench',
    '<rootDir>/dashboards/src',
    '<rootDir>/e2e',
  ],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
};

/** @type {import('jest').Config} */
module.exports = {
  // Most tests wait for processes of their own: a worker per core, where jest would leave one out.
  maxWorkers: '100%',
  projects: [collector, '<rootDir>/grafana-plugin'],
  testTimeout: 60_000,
};
