import { existsSync, readFileSync } from 'node:fs'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { storeKinds } from './open-store.ts'
import { measures } from './measures.ts'
import type { StoreSizes } from './sizes.ts'
import { amount } from './statistics.ts'
import type { Promised } from './statistics.ts'

/** What was measured, by store and by measure. Each part may come from another run, and names its machine. */
interface Sections {
  readonly stores: Readonly<Record<string, StoreSizes & { readonly machine: string }>>
  readonly measures: Readonly<Record<string, { readonly machine: string; readonly rows: readonly Promised[] }>>
}

/** The parts of a report that one run has measured. */
interface Measured {
  readonly stores?: Readonly<Record<string, StoreSizes>>
  readonly measures?: Readonly<Record<string, { readonly rows: readonly Promised[] }>>
}

const file = new URL('../../docs/benchmarks/scale-up.json', import.meta.url)

/** Writes the report: the new sections, and those of earlier runs that were not measured again. */
export function writeSections({ stores = {}, measures: taken = {} }: Measured): void {
  const before: Sections = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { stores: {}, measures: {} }
  const place = machine()
  const dated = <Section extends object>(
    sections: Readonly<Record<string, Section>>,
  ): Record<string, Section & { machine: string }> => (
    Object.fromEntries(Object.entries(sections).map(([name, section]) => [name, { machine: place, ...section }]))
  )
  const all: Sections = {
    stores: { ...before.stores, ...dated(stores) },
    measures: { ...before.measures, ...dated(taken) },
  }
  writeReport('scale-up', all, [
    '# From ten thousand to a million sessions',
    '',
    'What grows with the number of sessions, and what does not. Repeat with `npm run bench -- scale-up`, a part of it with the names of stores',
    '(`npm run bench -- scale-up postgres redis`) or of measures (`npm run bench -- scale-up confirmations`). `KEYTURN_BENCH_SIZES=10000,1000000,10000000`',
    'measures ten million as well, on PostgreSQL and Redis.',
    '',
    '## The calls of a store',
    '',
    'One call at a time, in milliseconds, with server and client on one machine. Each store holds all sizes at once, in tables of their own, and the',
    'sizes alternate in five rounds. Ten sessions belong to one user, and 30,000 further sessions are due. PostgreSQL and MariaDB wait for the disk at',
    'each commit, except for rotations, confirmations and cleanup on PostgreSQL; Redis keeps nothing on disk here; the memory store shares its',
    'process with this program. Growth is the ratio of the largest size to the smallest.',
    ...storeKinds.flatMap(kind => storeLines(all.stores[kind])),
    '',
    '## What must not grow',
    '',
    ...Object.entries(measures).flatMap(([name, { what }]) => {
      const section = all.measures[name]
      return section === undefined ? [] : [
        `### ${what}`, '', `\`npm run bench -- scale-up ${name}\`. ${section.machine}`, '',
        '| what | must | measured | |', '|---|--:|--:|---|', ...section.rows.map(promiseLine), '',
      ]
    }),
  ])
}

function promiseLine({ what, must, measured, reached }: Promised): string {
  return `| ${what} | ${must} | ${measured} | ${reached === null ? '' : reached ? 'reached' : '**missed**'} |`
}

function storeLines(section: Sections['stores'][string] | undefined): readonly string[] {
  if (section === undefined) return []
  const { store, sizes, loading, bytes, rows, machine: place } = section
  const each = (values: readonly number[], unit: string): string => (
    values.map((value, index) => `${amount(value)} ${unit} for ${short(sizes[index] ?? 0)}`).join(', ')
  )
  const heads = sizes.flatMap(size => [`${short(size)}: p50`, 'p99'])
  return [
    '',
    `### ${store}`,
    '',
    `${place} Loading took ${each(loading, 's')}. A session takes, with its indexes: ${each(bytes, 'bytes')}.`,
    '',
    `| call | calls | ${heads.join(' | ')} | growth of p50 | of p99 |`,
    `|---|--:|${'--:|'.repeat(heads.length)}--:|--:|`,
    ...rows.map(({ call, samples, sizes: times }) => {
      const [first, last] = [times[0], times.at(-1)]
      const growth = (part: 'p50' | 'p99'): string => ((last?.[part] ?? NaN) / (first?.[part] ?? NaN)).toFixed(2)
      const cells = times.flatMap(({ p50, p99 }) => [amount(p50), amount(p99)])
      return `| ${call} | ${samples} | ${cells.join(' | ')} | ${growth('p50')} | ${growth('p99')} |`
    }),
  ]
}

/** A number of sessions for readers: `10 k`, `1 M`. */
function short(size: number): string {
  return size >= 1_000_000 ? `${size / 1_000_000} M` : `${size / 1000} k`
}
