// How Stryker changes the sources and runs the tests. scripts/test-mutation.ts starts it in the root folder, with the
// files to change.
export default {
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  // Each mutant meets the tests that reach it.
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A busy machine is not an endless loop.
  timeoutMS: 15_000,
  // The copy of the sources that is changed. It is in the repository, so that packages are found in the folder above.
  tempDirName: '.cache/mutation/sandbox',
  symlinkNodeModules: false,
  ignorePatterns: [
    '/*', '!/src', '!/test', '!/package.json', '!/tsconfig*.json', 'node_modules',
    'test/{e2e,frameworks,runtimes,server}',
  ],
  // Stryker would rewrite tsconfig.json with an interface of the compiler that TypeScript 7 does not have. It skips a
  // file that does not exist; types are not checked.
  tsconfigFile: 'none.json',
  disableTypeChecks: false,
  reporters: ['progress-append-only', 'json', 'html'],
  jsonReporter: { fileName: '.cache/mutation/report.json' },
  htmlReporter: { fileName: '.cache/mutation/report.html' },
  allowEmpty: true,
}
