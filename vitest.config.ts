import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const conditions = ['keyturn-source', 'node']

/** The files that take longest begin first, so that the workers end together. */
const longest = [
  'test/session/search/long/', 'test/day/', 'frameworks/next.', 'frameworks/sveltekit.', 'e2e/client.',
  'stores/removal-races.', 'stores/postgres.', 'e2e/sdk.', 'stores/mysql.', 'test/session/search/', 'e2e/client-freeze.', 'e2e/page.',
  'runtimes/contract.', 'server/generated-clients.', 'stores/server-instances.', 'stores/other-settings.',
  'stores/postgres-faults.', 'server/cdi.',
  'package/types.', 'package/bundlers.', 'package/type-mutants.', 'package/writing-a-store.', 'test/session/laws/',
]

/** Tests that simulate whole lives of sessions, by the million: laws that must hold, and mutants that break them. */
const simulations = ['test/session/search/*.test.ts', 'test/session/laws/*.test.ts', 'test/session/feed/*.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((part) => moduleId.includes(part))
      return found === -1 ? longest.length : found
    }
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}

const cacheFolder = (name: string): string => join(import.meta.dirname, '.cache', name)

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    pool: 'forks',
    // Two cores, and somebody who uses them while others wait for a browser, a database or the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    slowTestThreshold: 10_000,
    silent: 'passed-only',
    // Limits end what hangs. No test comes near them, however busy the machine is.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [
            'test/stores/**', 'test/e2e/**', 'test/frameworks/**', 'test/runtimes/**',
            'test/package/**', 'test/server/**', 'test/engines/**', 'test/day/**', 'test/session/search/long/**',
            ...simulations,
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: simulations,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/session/search/long/**/*.test.ts', 'test/day/long/**/*.test.ts'],
          testTimeout: 1_200_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'frameworks',
          include: ['test/frameworks/**/*.test.ts'],
          globalSetup: ['test/support/package/build.ts', 'test/support/edge-packages.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'runtimes',
          include: ['test/runtimes/**/*.test.ts'],
          globalSetup: ['test/support/runtimes/install.ts', 'test/support/edge-packages.ts'],
          // What they keep of what they have compiled would go to the home folder.
          env: { DENO_DIR: cacheFolder('deno'), BUN_RUNTIME_TRANSPILER_CACHE_PATH: cacheFolder('bun') },
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/support/package/pack.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'server',
          include: ['test/server/**/*.test.ts'],
          // Fuzzers, compilers of other languages, and their package installers.
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'stores',
          include: ['test/stores/**/*.test.ts', 'test/day/*.test.ts'],
          globalSetup: [
            'test/support/servers/global-setup.ts', 'test/support/drivers.ts', 'test/support/old-systems.ts',
            'test/support/edge-packages.ts', 'test/support/runtimes/install.ts', 'test/support/orm-packages.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          // Run by `npm run test:engines` alone: tests of engines and arrangements that the other tests do not need.
          name: 'engines',
          include: ['test/engines/**/*.test.ts'],
          globalSetup: ['test/support/drivers.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/package/build.ts', 'test/support/old-systems.ts'],
        },
      },
    ],
  },
})
