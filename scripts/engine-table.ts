/** What the tests of an engine came to. */
export interface EngineResult {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly passed: number
  /** How many tests failed. */
  readonly failures: number
  /** The titles of the tests that failed, or the first of them. */
  readonly failed: readonly string[]
  readonly date: string
}

/** The part of Vitest's JSON report that is read. */
export interface VitestJson {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** How many titles the page lists for an engine. */
const listed = 20

const heading = `# Engines

Each store on the versions of its engine that \`npm run test:engines\` can fetch, one after the other. The command writes
this page. \`npm run test:engines -- NAME\` runs one engine and keeps the other rows. The tests of a store are its contract
and the tests of its server, \`test/stores/KIND*\`; those of other arrangements are in \`test/engines\`. What is skipped
(tests of servers that do not run) counts in neither column.

| name | engine | version | passed | failed | date |
|---|---|---|---|---|---|
`

/** Reads Vitest's report. A file that did not load counts as a failure. */
export function readRun({ testResults }: VitestJson): Pick<EngineResult, 'passed' | 'failures' | 'failed'> {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const broken = testResults.filter(({ status, assertionResults }) => (
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed')
  ))
  const failed = [
    ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName.trim()),
    ...broken.map(({ name }) => `${name.replace(/^.*\/test\//, 'test/')} did not load`),
  ]
  return { passed: tests.filter(({ status }) => status === 'passed').length, failures: failed.length, failed }
}

/** The page with these results. */
export function writeTable(results: readonly EngineResult[]): string {
  const rows = results.map(({ name, title, version, passed, failures, date }) => (
    `| \`${name}\` | ${title} | ${version} | ${passed} | ${failures} | ${date} |\n`
  ))
  const lists = results.filter(({ failures }) => failures > 0).map(({ name, failures, failed }) => {
    const shown = failed.slice(0, listed).map((title) => `- ${title.replaceAll('\n', ' ')}\n`)
    const others = failures - shown.length
    return [`\nFailed on \`${name}\`:\n\n`, ...shown, ...others > 0 ? [`\nand ${others} more.\n`] : []].join('')
  })
  return [heading, ...rows, ...lists].join('')
}

/** The results that a page shows, by name. */
export function readResults(text: string): [name: string, result: EngineResult][] {
  const lists = new Map(
    [...text.matchAll(/\nFailed on `([^`]+)`:\n\n((?:- .*\n)*)/g)].map((
      [, name = '', list = ''],
    ) => [name, list.split('\n').filter(Boolean).map((line) => line.slice(2))]),
  )
  const rows = text.matchAll(/^\| `([^`]+)` \| (.*) \| (.*) \| (\d+) \| (\d+) \| (\S+) \|$/gm)
  return [...rows].map(([, name = '', title = '', version = '', passed = '', failures = '', date = '']) => (
    [name, {
      name, title, version, passed: Number(passed), failures: Number(failures), failed: lists.get(name) ?? [], date,
    }]
  ))
}
