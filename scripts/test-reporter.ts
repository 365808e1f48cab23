import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import type { TestFile, TestRun, Thrown } from './test-outcome.ts'

/** The file that holds the result of the last Vitest run of npm test. */
export const reportPath: string = join(import.meta.dirname, '../.cache/test/run.json')

/** Writes the result of a run to a file; unlike Vitest's own JSON reporter, with the project of each file. */
export default class TestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const run: TestRun = { files: modules.map(describeFile), errors: errors.map(describeError) }
    mkdirSync(dirname(reportPath), { recursive: true })
    writeFileSync(reportPath, JSON.stringify(run))
  }
}

function describeFile(module: TestModule): TestFile {
  const suites = [...module.children.allSuites()].flatMap((suite) => suite.errors())
  return {
    project: module.project.name,
    path: module.relativeModuleId,
    duration: module.diagnostic().duration,
    errors: [...module.errors(), ...suites].map(describeError),
    tests: [...module.children.allTests()].map((test) => {
      const { state, errors = [] } = test.result()
      return { title: test.fullName, state, errors: errors.map(describeError) }
    }),
  }
}

function describeError({ name, message, stack, diff }: SerializedError): Thrown {
  return {
    ...name === undefined ? {} : { name },
    message,
    ...stack === undefined ? {} : { stack },
    ...typeof diff === 'string' ? { diff } : {},
  }
}
