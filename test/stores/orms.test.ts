// Runs every sample of docs/orms.md.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { ormModules } from '../support/orm-packages.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/orms.md'), 'utf8')

/** The samples, in their order: the name of the section, and the code. */
const samples = page.split(/^## /m).slice(1).flatMap(section => (
  [...section.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = ''], index) => ({
    name: `${section.split('\n')[0] ?? ''}${index === 0 ? '' : ', another client'}`, code,
  }))
))

/** What runs after a sample: it uses the store, and ends whatever connections there are. */
const use = `
import { sampleHandle, sampleNow, sampleRecord, sampleRotation } from 'keyturn-samples'
import { migratePostgres as migrateForSample } from 'keyturn/stores/postgres'

await migrateForSample(process.env.DATABASE_URL, { schema: 'keyturn' })
await store.check()
const added = await store.insert(sampleRecord())
const rotated = await store.rotate(sampleRotation())
const { handles } = await store.remove([sampleHandle(1)], sampleNow)
const { changes } = await store.changesSince(null, 10)
await store.close()
console.log(JSON.stringify({ added, rotated: rotated !== null, handles, changes: changes.length }))
process.exit()
`

const server = inject('postgresUrl')
const modules = ormModules()
let databases = 0

describe.skipIf(server === null || modules === null)('docs/orms.md', () => {
  test('has a sample of each', () => {
    expect(samples.map(({ name }) => name.replace(/,.*/, ''))).toEqual(
      ['Drizzle', 'Drizzle', 'Kysely', 'Knex', 'Prisma', 'TypeORM'])
  })

  test.each(samples)('EDGE-10: the sample of $name shares its connections with the store', async ({ code }) => {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-orm-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'sample.mjs'), `${code}${use}`)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const load = join(folder, 'load.mjs')
    writeFileSync(load, loaderOf(modules ?? ''))
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=keyturn-source', '--disable-warning=ExperimentalWarning', '--import', load,
      join(folder, 'sample.mjs'),
    ], { env: { ...process.env, DATABASE_URL: await createPostgresDatabase(server ?? '', `orm_${++databases}`) } })
    expect(JSON.parse(stdout)).toEqual({ added: true, rotated: true, handles: [expect.any(String)], changes: 1 })
  })
})

/** A module that resolves the imports of a sample: Keyturn's sources, and the packages. */
function loaderOf(folder: string): string {
  const own = JSON.stringify({
    'keyturn/stores/postgres': join(root, 'src/stores/postgres.ts'),
    'keyturn-samples': join(root, 'src/testing/samples.ts'),
  })
  return `
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
const own = ${own}
registerHooks({
  resolve(specifier, context, next) {
    if (own[specifier] !== undefined) return next(pathToFileURL(own[specifier]).href, context)
    const isFromSample = context.parentURL?.endsWith('/sample.mjs') && !specifier.startsWith('node:')
    return next(specifier, isFromSample ? { ...context, parentURL: ${JSON.stringify(new URL(`file://${join(folder, '../x.mjs')}`).href)} } : context)
  },
})
`
}
