import { isStoreKind, storeKinds } from './open-store.ts'
import { measures } from './measures.ts'
import { measureSizes } from './sizes.ts'
import { writeSections } from './sections.ts'
import { failed } from './statistics.ts'

// npm run bench -- scale-up [name ...]: runs everything, or what is named: the calls of the port of some stores
// (`calls`, or the names of stores), and measures (`confirmations` and the others of measures.ts). Numbers are the
// sizes for the calls. What is not measured keeps its numbers in the report.

const names = process.argv.slice(2)
const numbers = names.filter(name => /^\d+$/.test(name)).map(Number)
const unknown = names.find(name => !/^\d+$/.test(name) && name !== 'calls' && !isStoreKind(name) && !(name in measures))
if (unknown !== undefined) {
  throw new Error(`scale-up has no ${unknown}: ${['calls', ...storeKinds, ...Object.keys(measures)].join(', ')}`)
}
const environment = process.env['KEYTURN_BENCH_SIZES'] ?? '10000,1000000'
const sizes = numbers.length > 0 ? numbers : environment.split(',').map(Number)
if (!sizes.every(size => Number.isInteger(size) && size >= 10_000 && size % 10_000 === 0)) {
  throw new Error(`the sizes must be multiples of 10,000: ${sizes.join(', ')}`)
}

const isNamed = (name: string): boolean => names.length === numbers.length || names.includes(name)

for (const kind of storeKinds) {
  if (isNamed(kind) || names.includes('calls')) writeSections({ stores: { [kind]: await measureSizes(kind, sizes) } })
}
for (const [name, { what, must, measure }] of Object.entries(measures)) {
  if (!isNamed(name)) continue
  process.stderr.write(`${name}: ${what}\n`)
  // One that fails must not hide the others.
  const rows = await measure().catch((error: unknown) => [failed(what, must, error)])
  writeSections({ measures: { [name]: { rows } } })
}
process.exit(0)
