import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const conditions = ['keyturn-source', 'node']

/** The tests of single files are the fastest, and a mutant is done with when the first test fails. */
class UnitsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => (moduleId.includes('/src/') ? 0 : 1)
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}

/** They count what every session of the process registers with the global OpenTelemetry provider. */
const needIsolation = ['test/session/metrics.test.ts']

// The tests that mutants have to get past: those of the modules `session`, `tokens` and `transport` that need neither a
// database nor a build, and take a few seconds at most.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/{session,tokens,transport}/*.test.ts', 'test/{session,security,tokens,transport}/*.test.ts'],
    // What grows with ten thousands of sessions or requests, and processes of their own, which run the sources
    // without the mutant.
    exclude: [
      'test/session/scale.test.ts', 'test/transport/signal.test.ts', 'test/security/zone.test.ts',
      'test/transport/unawaited.test.ts', ...needIsolation,
    ],
    sequence: { sequencer: UnitsFirst },
    // One worker per mutant, not one per file. It ends with the mutant.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
