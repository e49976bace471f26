process.env.TZ = 'UTC';

const base = require('./.config/jest.config');

const [[, swc]] = Object.entries(base.transform);

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  displayName: 'plugin',
  moduleNameMapper: { ...base.moduleNameMapper, '^@ringflow/contract$': '<rootDir>/../contract/index.ts' },
  // d3-color has only *.mjs.
  transform: { '^.+\\.m?(t|j)sx?$': swc },
};
