import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** One entry per thing that style rules forbid and that a parser can see. */
const forbidden = {
  defaultExport: { selector: 'ExportDefaultDeclaration', message: 'One name for one thing: export it by name' },
  exportAll: { selector: 'ExportAllDeclaration', message: 'List the names that others may use' },
  importMeta: { selector: 'MetaProperty[meta.name="import"]', message: 'jest and the bundle run this as CommonJS' },
  bufferReads: {
    selector: 'CallExpression[callee.property.name=/^(read|write)U?(Int|BigU?Int)/]',
    message: 'Read bytes through a DataView: twice as fast, and a Buffer is often a window into a pool',
  },
  environment: {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'Only config/ reads the environment',
  },
  classes: {
    selector: 'ClassDeclaration:not([superClass.name=/Error$/])',
    message: 'A function that returns an object does; classes are for errors',
  },
};

const everywhere = [forbidden.importMeta, forbidden.classes];

export default tseslint.config(
  // The plugin has the configuration of its kind: `npm run lint -w ringflow-flows-datasource`.
  { ignores: ['**/node_modules/', '**/dist/', 'data/', 'coverage/', 'grafana-plugin/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'performance',
          'fetch',
          'URL',
          'Buffer',
          'module',
          'require',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-console': 'off',
      // Exporters send control characters, and they are taken out by a regular expression.
      'no-control-regex': 'off',
      // A table row that ignores an argument says so with an underscore.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
    },
  },
  {
    files: ['contract/**/*.ts', 'collector/src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...everywhere,
        forbidden.defaultExport,
        forbidden.exportAll,
        forbidden.environment,
      ],
    },
  },
  {
    files: ['collector/src/wire/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...everywhere,
        forbidden.defaultExport,
        forbidden.exportAll,
        forbidden.environment,
        forbidden.bufferReads,
      ],
    },
  },
  {
    files: ['collector/src/config/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere, forbidden.defaultExport, forbidden.exportAll] },
  },
  {
    // The browser bundles the contract: everything in it is public by intent.
    files: ['contract/index.ts', '**/*.test.ts', '**/testing/**'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere] },
  },
  {
    files: ['**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
