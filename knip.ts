// What knip takes as used: it reports files, exports and packages that nothing uses (`test/package/tools.test.ts`). A name with `!` is
// part of the package; `--production` looks at those alone.
export default {
  entry: [
    // Writes dist/config.schema.json during the build.
    'src/server/config-schema.ts!',
    'src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/*.{ts,mjs}', 'site/{build,api}.ts', 'site/.vitepress/{config,theme/index}.ts',
    'bench/**/{main,start,child}.{ts,mjs}', 'bench/scale-up/children/*.ts', 'bench/verify/contenders/*.ts', 'bench/console/*.ts',
    // Applications, programs and pages that tests start, bundle or compile by their paths.
    'test/**/apps/**/*.ts', 'test/types/**/*.ts', 'test/server/clients/*.ts', 'test/day/support/*.ts', 'test/e2e/client-support/page.ts',
    'test/mutation/vitest.config.ts', 'test/support/{ending-child,import-child,import-crash-child,own-clock,sqlite-child,zone-child}.ts',
  ],
  project: [
    'src/**/*.ts!', '!src/**/*.test.ts!', 'console/**/*.{ts,tsx}!', '!console/vite.config.ts!', 'scripts/**/*.{ts,mjs}',
    'site/**/*.ts', 'test/**/*.ts', 'bench/**/*.{ts,mjs}',
  ],
  ignoreExportsUsedInFile: true,
  // They import what is generated, or what their own package.json lists. They are compiled by the tests that use them.
  ignore: ['test/**/apps/**', 'test/types/**', 'test/server/clients/**'],
  // Two adapters whose options obey the same rules today.
  exclude: ['duplicates'],
  // The bodies of requests, written down for clients of the console's API; its front end needs no name for them.
  ignoreIssues: { 'src/console/api-{types,reports}.ts': ['types'] },
  ignoreDependencies: [
    // Run as a program, loaded by a name that the test computes, or bundled from a string.
    '@arethetypeswrong/cli', '@hono/node-server', '@rollup/.*', 'bowser', 'compression', 'express4', 'htm', 'openid-client',
    'oxlint', 'oxlint-tsgolint', 'zone.js',
    // Optional peers that applications of the tests have, in packages of their own.
    'next', '@sveltejs/kit',
    // Listed by the package.json of their folders.
    'autocannon', 'better-auth', '@fastify/secure-session', 'connect-redis', 'express-session', 'iron-session', 'fast-jwt', 'typedoc',
    'vitepress',
  ],
  // Programs of the machine, and the tool that `npm start` builds with.
  ignoreBinaries: ['wrk', 'redis-server', 'openssl', 'prlimit', 'rolldown'],
}
