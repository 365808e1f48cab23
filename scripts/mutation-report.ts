// What the mutants of a file came to, and docs/mutation.md, the page that says so.

/** The part of Stryker's JSON report that is read. */
export interface StrykerReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>>
}

interface StrykerMutant {
  readonly mutatorName: string
  readonly replacement: string
  readonly status: string
  /** Whether the code runs when its module is loaded. */
  readonly static?: boolean
  readonly location: { readonly start: Position; readonly end: Position }
}

/** Both count from 1. */
interface Position {
  readonly line: number
  readonly column: number
}

/** A mutant that no test found. */
export interface Survivor {
  readonly line: number
  /** What stands in the source, and what the mutant has in its place, each without line breaks. */
  readonly code: string
  readonly mutation: string
}

/** What the mutants of a file came to. */
export interface FileResult {
  readonly killed: number
  /** Those that ran so long that they were ended, which counts as found. */
  readonly timeout: number
  readonly survived: number
  /** Those that no test reaches. */
  readonly uncovered: number
  /** Those that do not load, and those of constants unless the file is a rule. */
  readonly ignored: number
  /** Those that survived or are not covered, if the file is a rule. */
  readonly survivors: readonly Survivor[]
  readonly date: string
}

/** The results by file. */
export type Results = Readonly<Record<string, FileResult>>

/** Why a mutant that survives cannot change what the library does. */
export interface Explanation extends Pick<Survivor, 'code' | 'mutation'> {
  readonly file: string
  readonly why: string
}

/** The files of which tests must find at least {@link minimumScore} of the mutants, each survivor explained. */
const rules = [
  /^src\/session\/decide-[a-z]+\.ts$/,
  /^src\/tokens\/(?:refresh-token|anti-csrf)\.ts$/,
  /^src\/transport\/(?:csrf|credentials|refresh-credentials)\.ts$/,
]

/** In percent. */
export const minimumScore = 95

/** Whether a file has rules that decide about rotation, credentials or the origin of a request. */
export const isRule = (file: string): boolean => rules.some((rule) => rule.test(file))

/** Reads the report of a run. */
export function readReport(report: StrykerReport, date: string): Results {
  return Object.fromEntries(Object.entries(report.files).map(([file, { source, mutants }]): [string, FileResult] => {
    // A test that loads the module once more makes a constant look covered, although most tests have the first one.
    const isLeftOut = (mutant: StrykerMutant): boolean => (
      !isRule(file) && mutant.static === true && mutant.status === 'Survived'
    )
    const count = (...wanted: readonly string[]): number => (
      mutants.filter((mutant) => wanted.includes(isLeftOut(mutant) ? 'Ignored' : mutant.status)).length
    )
    const left = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    return [file, {
      killed: count('Killed'),
      timeout: count('Timeout'),
      survived: count('Survived'),
      uncovered: count('NoCoverage'),
      ignored: count('Ignored', 'RuntimeError', 'CompileError'),
      survivors: isRule(file) ? left.map((mutant) => survivorOf(source, mutant)) : [],
      date,
    }]
  }))
}

function survivorOf(source: string, { replacement, location: { start, end } }: StrykerMutant): Survivor {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const text = [...lines.slice(0, -1), (lines.at(-1) ?? '').slice(0, end.column - 1)].join('\n').slice(start.column - 1)
  return { line: start.line, code: onOneLine(text), mutation: onOneLine(replacement) }
}

const onOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** How many of the mutants were found, in percent, or null if there are none. */
export function scoreOf({ killed, timeout, survived, uncovered }: FileResult): number | null {
  const all = killed + timeout + survived + uncovered
  return all === 0 ? null : 100 * (killed + timeout) / all
}

/** What is wrong with the results of rules: too many survivors, or one without an explanation. */
export function findFaults(results: Results, explanations: readonly Explanation[]): readonly string[] {
  return Object.entries(results).filter(([file]) => isRule(file)).flatMap(([file, result]) => {
    const score = scoreOf(result) ?? 100
    const unexplained = result.survivors.filter((survivor) => whyOf(file, survivor, explanations) === null)
    return [
      ...score < minimumScore ? [`${file}: ${score.toFixed(1)} % of the mutants were found, not ${minimumScore}`] : [],
      ...unexplained.map(({ line, code, mutation }) => (
        `${file}:${line}: nothing fails if \`${code}\` becomes \`${mutation}\``
      )),
    ]
  })
}

/** The explanation of a survivor, or null. */
function whyOf(file: string, { code, mutation }: Survivor, explanations: readonly Explanation[]): string | null {
  const found = explanations.find((each) => each.file === file && each.code === code && each.mutation === mutation)
  return found?.why ?? null
}

/** The page with these results. */
export function writePage(results: Results, explanations: readonly Explanation[]): string {
  const entries = Object.entries(results).toSorted(([one], [other]) => one < other ? -1 : 1)
  const ofRules = entries.filter(([file]) => isRule(file))
  const survivors = ofRules.flatMap(([file, result]) => result.survivors.map((survivor) => (
    `| \`${nameOf(file)}:${survivor.line}\` | ${codeOf(survivor.code)} | ${codeOf(survivor.mutation)} `
      + `| ${whyOf(file, survivor, explanations) ?? 'not explained'} |\n`
  )))
  return [
    heading,
    '## Rules\n\n', tableOf(ofRules),
    '\n## Survivors in rules\n\n',
    ...survivors.length === 0 ? ['None.\n'] : ['| place | code | mutant | why nothing changes |\n|---|---|---|---|\n'],
    ...survivors,
    '\n## Other files\n\n', tableOf(entries.filter(([file]) => !isRule(file))),
  ].join('')
}

const nameOf = (file: string): string => file.replace(/^src\//, '')

function tableOf(entries: readonly [string, FileResult][]): string {
  const all = entries.map(([, result]) => result)
  const sum = (of: (result: FileResult) => number): number => all.reduce((total, result) => total + of(result), 0)
  const total: FileResult = {
    killed: sum(({ killed }) => killed),
    timeout: sum(({ timeout }) => timeout),
    survived: sum(({ survived }) => survived),
    uncovered: sum(({ uncovered }) => uncovered),
    ignored: sum(({ ignored }) => ignored),
    survivors: [],
    date: '',
  }
  return [
    '| file | mutants | killed | timeout | survived | not covered | left out | score | date |\n',
    '|---|---|---|---|---|---|---|---|---|\n',
    ...entries.map(([file, result]) => rowOf(`\`${nameOf(file)}\``, result)),
    rowOf('together', total),
  ].join('')
}

function rowOf(name: string, result: FileResult): string {
  const { killed, timeout, survived, uncovered, ignored, date } = result
  const score = scoreOf(result)
  const cells = [name, killed + timeout + survived + uncovered, killed, timeout, survived, uncovered, ignored]
  return `| ${cells.join(' | ')} | ${score === null ? '' : `${score.toFixed(1)} %`} | ${date} |\n`
}

/** A cell of a table with code, shortened. */
function codeOf(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 97)}...` : text
  return `\`\`${short === '' ? ' ' : ` ${short} `}\`\``.replaceAll('|', '\\|')
}

const heading = `# Mutation testing

For those who change Keyturn itself. [Stryker](https://stryker-mutator.io) changes one place of a source file at a time:
a condition becomes \`true\`, a \`<\` becomes \`<=\`, the body of a function is removed. The changed program is called a
mutant. If a test fails with it, the mutant is killed. If all tests pass, it survives: a fault of that kind could get in
unnoticed. \`npm run test:mutation\` does that with the modules \`session\`, \`tokens\` and \`transport\`, and writes
this page.

| command | what it changes |
|---|---|
| \`npm run test:mutation\` | all files of the three modules |
| \`npm run test:mutation -- rules\` | the files of the first table |
| \`npm run test:mutation -- session\` | the files of a module |
| \`npm run test:mutation -- src/session/policy.ts\` | these files; the rows of other files stay as they are |

Stryker is installed in \`.cache/mutation\`, as \`test/mutation/package-lock.json\` says. Its reports, \`rules.html\`
and \`others.html\` in that folder, show each mutant. The workflow \`mutation\` runs the command every week.

- *The tests* are those that \`test/mutation/vitest.config.ts\` lists: the unit tests of the three modules, and those of
  their flows over the store in memory. The simulations of
  [the rotation rules](testing.md#the-search-of-the-rotation-rules) and the tests of real databases do not run: they
  would kill more mutants, and take too long to run once for each.
- *Timeout* counts as killed: the mutant ran so long that it was ended.
- *Not covered*: none of these tests reaches the place.
- *Left out*: mutants that do not load, and, except in rules, those of constants, which are evaluated once for all
  tests.
- *Rules*: the score must be at least ${minimumScore} %, and each survivor is explained in
  \`test/mutation/survivors.ts\`. If not, the command fails. A mutant that survives for want of a test gets the test.
- *A file without a row* has nothing that Stryker changes, such as types alone, or has not been run yet.

`
