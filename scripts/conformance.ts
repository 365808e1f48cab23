// Writes the tables about CDI in docs/server.md from the tables that its tests are driven by: npm run reference
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { helloMethods } from '../src/server/cdi/app-endpoints.ts'
import { protocolVersions } from '../src/server/cdi/protocol.ts'
import { fieldsIn, namesIn, valueAt } from '../test/support/cdi/call.ts'
import type { CdiCall } from '../test/support/cdi/call.ts'
import { accessTokenVersions, cdiCalls, sessionMembers } from '../test/support/cdi/calls.ts'
import { rotationDeviations, tokenDeviations } from '../test/support/cdi/deviations.ts'
import type { Deviation } from '../test/support/cdi/deviations.ts'
import { refusals } from '../test/support/cdi/refusals.ts'
import { requestDeviations } from '../test/support/cdi/request-deviations.ts'
import { unservedCalls } from '../test/support/cdi/unserved.ts'
import { readTitles } from './test-titles.ts'
import type { TestPlace } from './test-titles.ts'

/** The path of the guide that contains the tables. */
export const guidePath: string = join(import.meta.dirname, '../docs/server.md')

const begin = '<!-- Written by scripts/conformance.ts from the tests of CDI. Do not edit. -->\n'
const end = '<!-- End of the tables about CDI. -->'

const deviationTables: readonly (readonly [title: string, of: readonly Deviation[]])[] = [
  ['Rotation follows [Keyturn\'s own rules](decisions/0003-rotation.md), in every version:', rotationDeviations],
  ['Tokens and keys:', tokenDeviations],
  ['Requests:', requestDeviations],
]

/** All differences from the reference. */
export const deviations: readonly Deviation[] = deviationTables.flatMap(([, list]) => list)

/** The titles that the tables refer to, without repetitions, in the order in which the tables have them. */
export const citedTitles: readonly string[] = [...new Set([
  ...cdiCalls.flatMap(({ tests }) => tests),
  ...refusals.flatMap(({ tests }) => tests),
  ...deviations.flatMap(({ tests }) => tests),
])]

/** Writes the tables. */
export function writeTables(titles: ReadonlyMap<string, TestPlace>): string {
  return [
    ...table(['call', 'tenant in the path', 'versions', 'fields of the request', 'outcome: other members', 'tests'], [
      ['`/`, `/hello`', '200', 'all', '', `the text \`Hello\`, to ${listed(helloMethods)}`, ''],
      ...cdiCalls.flatMap(rowsOf),
      ...ranges(version => ['', listed(namesIn(version, sessionMembers))])
        .map(([versions, cells], index) => [index === 0 ? 'the member `session`' : '', '', versions, ...cells, '']),
      ...ranges(version => ['', `version ${valueAt(version, accessTokenVersions)}`])
        .map(([versions, cells], index) => [index === 0 ? 'access tokens' : '', '', versions, ...cells, '']),
    ]),
    '',
    '### Responses other than 200',
    '',
    'The server makes these checks in this order, in every version. The bodies are text:',
    '',
    ...table(['response', 'condition', 'reference', 'tests'], refusals.map(row => (
      [row.response, row.condition, row.reference, numbersOf(row.tests)]
    ))),
    '',
    '### Calls that are not served',
    '',
    'In every version, these calls get 404 `Not found`:',
    '',
    ...table(['call', 'reason'], unservedCalls.map(({ calls, reason }) => [listed(calls), reason])),
    '',
    '### Differences and their reasons',
    ...deviationTables.flatMap(([title, list]) => [
      '', title, '',
      ...table(['of', 'versions', 'difference', 'reason', 'tests'], list.map(row => (
        [row.of, row.versions ?? 'all', row.difference, row.reason, numbersOf(row.tests)]
      ))),
    ]),
    '',
    '### Further tests',
    '',
    'The tests that the numbers in the tables stand for:',
    '',
    ...table(['', 'file in `test/server`', 'title'], citedTitles.map((title, index) => {
      const { file, fullTitle } = titles.get(title) ?? missing(title)
      return [`${index + 1}`, `\`${file}\``, fullTitle.replaceAll('|', '\\|')]
    })),
    '',
  ].join('\n')
}

/** The guide with the tables of the tests. `titles`: the file of each test in `test/server`. */
export function writeGuide(guide: string, titles: ReadonlyMap<string, TestPlace>): string {
  const [before, rest = ''] = guide.split(begin)
  const [, after = ''] = rest.split(end)
  return `${before}${begin}\n${writeTables(titles)}\n${end}${after}`
}

function rowsOf(call: CdiCall): string[][] {
  const withTenant = Object.entries(call.withTenant)
    .map(([since, status], index) => index === 0 ? `${status}` : `${status} from ${since} on`).join('; ')
  return ranges(version => {
    const optional = fieldsIn(version, call, 'optional').map(name => `[\`${name}\`]`)
    return [
      [listed(fieldsIn(version, call, 'required')), ...optional].filter(part => part !== '').join(', '),
      outcomesIn(version, call),
    ]
  }).map(([versions, cells], index) => [
    index === 0 ? `\`${call.method} ${call.path}\`${call.variant === undefined ? '' : ` ${call.variant}`}` : '',
    index === 0 ? withTenant : '', versions, ...cells, index === 0 ? numbersOf(call.tests) : '',
  ])
}

function outcomesIn(version: string, { outcomes }: CdiCall): string {
  return [...new Set(outcomes.map(({ status }) => status))].map(status => {
    const bodies = outcomes.filter(outcome => outcome.status === status).map(({ members }) => namesIn(version, members))
    const names = [...new Set(bodies.flat())]
      .map(name => bodies.every(body => body.includes(name)) ? `\`${name}\`` : `[\`${name}\`]`).join(', ')
    return [...status === null ? [] : [`\`${status}\``], names].filter(part => part !== '').join(': ')
  }).join('; ')
}

/** The cells of all versions; of versions in sequence that have the same ones, only once. */
function ranges(cellsOf: (version: string) => string[]): [versions: string, cells: string[]][] {
  const groups: { readonly first: string; last: string; readonly cells: string[] }[] = []
  for (const version of protocolVersions) {
    const cells = cellsOf(version)
    const before = groups.at(-1)
    if (before !== undefined && before.cells.join('|') === cells.join('|')) before.last = version
    else groups.push({ first: version, last: version, cells })
  }
  if (groups.length === 1) return groups.map(({ cells }) => ['all', cells])
  return groups.map(({ first, last, cells }) => [first === last ? first : `${first} to ${last}`, cells])
}

function numbersOf(tests: readonly string[]): string {
  return tests.map(title => citedTitles.indexOf(title) + 1).join(', ')
}

function listed(names: readonly string[]): string {
  return names.map(name => `\`${name}\``).join(', ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)]
}

function missing(title: string): never {
  throw new Error(`no test in test/server has the title ${title}`)
}

if (import.meta.main) writeFileSync(guidePath, writeGuide(readFileSync(guidePath, 'utf8'), readTitles()))
