// usage: npm run bench:stores [-- --stores sqlite,postgres] [--sessions 10000,100000,1000000] [--seconds 1] [--rounds 5]
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { contenders } from './contenders.ts'
import { measureReads } from './reads.ts'
import { toMarkdown } from './report.ts'
import type { StoreResult } from './report.ts'
import { median } from './rounds.ts'
import { measureWrites } from './writes.ts'

const { values } = parseArgs({
  options: {
    stores: { type: 'string', default: Object.keys(contenders).join(',') },
    sessions: { type: 'string', default: '10000,100000,1000000' },
    seconds: { type: 'string', default: '0.5' },
    rounds: { type: 'string', default: '5' },
  },
})
const sizes = values.sessions.split(',').map(Number)
const pace = { milliseconds: Number(values.seconds) * 1000, rounds: Number(values.rounds) }
const folder = new URL('../../docs/benchmarks/', import.meta.url)

async function measure(name: string): Promise<StoreResult> {
  const open = contenders[name]
  if (open === undefined) throw new Error(`there is no store ${name}: ${Object.keys(contenders).join(', ')}`)
  const contender = await open()
  console.log(`\n${contender.name}`)
  try {
    const writes = await measureWrites(contender, pace)
    for (const [at, rounds] of Object.entries(writes)) {
      const row = Object.entries(rounds).map(([thing, rates]) => `${thing} ${Math.round(median(rates))}`)
      console.log(at.padStart(5), row.join('  '))
    }
    const before = await contender.size()
    const loaded = await measureReads(contender, sizes, { ...pace, rounds: 3 })
    const bytesPerSession = (await contender.size() - before) / Math.max(...sizes)
    console.log(`${Math.round(bytesPerSession)} bytes per session`.padStart(25))
    return { store: contender.name, writes, loaded, bytesPerSession }
  } finally {
    await contender.close()
  }
}

const results: StoreResult[] = []
for (const name of values.stores.split(',')) results.push(await measure(name))
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('stores.json', folder), `${JSON.stringify(results, null, 2)}\n`)
writeFileSync(new URL('stores.md', folder), toMarkdown(results, pace))
process.exit(0)
