// The command `keyturn import`.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { progressBar } from '../../src/cli/import.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { sampleClaim, sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import { keyturn } from '../support/command-line.ts'
import { createDirectory } from '../support/servers/workspace.ts'

const root = join(import.meta.dirname, '../..')
const DAY = 86_400_000

/** An old application: a SQLite file with sessions of express-session, and a module that imports them. */
function oldApplication(
  count: number,
): { readonly setup: () => string; readonly folder: string; readonly database: DatabaseSync } {
  const folder = createDirectory()
  const file = join(folder, 'old.db')
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE sessions (sid TEXT NOT NULL PRIMARY KEY, sess JSON NOT NULL, expire TEXT NOT NULL)')
  const insert = database.prepare('INSERT INTO sessions VALUES (?, ?, ?)')
  const expire = new Date(Date.now() + DAY).toISOString()
  for (let number = 0; number < count; number++) {
    const data = number % 10 === 3 ? { cart: [] } : number % 10 === 7
      ? { userId: 'u', role: 'x'.repeat(3000) } : { userId: `user-${number}` }
    insert.run(`sid-${String(number).padStart(6, '0')}`, JSON.stringify({ cookie: { originalMaxAge: 1 }, ...data }),
      number % 10 === 5 ? new Date(Date.now() - DAY).toISOString() : expire)
  }
  let copies = 0
  // A module is loaded once in a process, and closes its database: each call of the command gets another copy.
  const setup = (): string => {
    const module = join(folder, `imports-${++copies}.mjs`)
    writeFileSync(module, text)
    return module
  }
  const text = `
    import { DatabaseSync } from 'node:sqlite'
    import { betterSqlite3Sessions, fromExpressSession, importSessions } from ${JSON.stringify(join(root, 'src/import/index.ts'))}
    const database = new DatabaseSync(${JSON.stringify(file)}, { readOnly: true })
    const login = ({ userId, role }) => userId === undefined ? null : { userId, jwtPayload: role === undefined ? {} : { role } }
    export default importSessions({
      importers: [fromExpressSession({ secret: 's', sessions: betterSqlite3Sessions(database), login })], until: new Date(Date.now() + ${DAY}),
    })
    export const close = () => database.close()`
  return { setup, folder, database }
}

test('IMP-14: the check counts what would come over, and what not, and why, with ten examples, and writes nothing', async () => {
  const { setup, database } = oldApplication(100)
  const before = JSON.stringify(database.prepare('SELECT * FROM sessions').all())
  const { code, out, error } = await keyturn('import', '--check', '--setup', setup())
  expect([code, error]).toEqual([1, ''])
  expect(out).toContain('Read 100 sessions: 70 would come over, 30 would not.')
  expect(out).toMatch(/10 +nobody is logged in/)
  expect(out).toMatch(/10 +expired/)
  expect(out).toMatch(/10 +the data does not fit/)
  expect(out).toContain('the JWT payload is 3011 bytes long; at most 2000 are allowed')
  expect(out.match(/^express-session /gm)).toHaveLength(10)
  expect(out).not.toContain('sid-')
  expect(JSON.stringify(database.prepare('SELECT * FROM sessions').all())).toBe(before)
  const json = await keyturn('import', '--check', '--setup', setup(), '--json')
  expect(JSON.parse(json.out)).toMatchObject({ read: 100, alive: 70, done: true })
})

test('the check can be killed, and goes on where it was', async () => {
  const { setup, folder } = oldApplication(100)
  const [state, other] = [join(folder, 'check.json'), join(folder, 'other.json')]
  await keyturn('import', '--check', '--setup', setup(), '--state', other, '--batch', '30')
  // The module kills its process when the third page is read.
  const doomed = join(folder, 'doomed.mjs')
  writeFileSync(doomed, `
    import setup from ${JSON.stringify(setup())}
    const [importer] = setup.plan.importers
    let pages = 0
    const scan = (after, limit) => ++pages === 3 ? process.kill(process.pid, 'SIGKILL') : importer.scan(after, limit)
    export default { ...setup, plan: { ...setup.plan, importers: [{ ...importer, scan }] } }`)
  const args = ['--conditions=keyturn-source', join(root, 'src/cli/main.ts'), 'import', '--check', '--setup', doomed, '--state', state]
  const { signal } = spawnSync(process.execPath, [...args, '--batch', '30'])
  expect(signal).toBe('SIGKILL')
  expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ read: 60, alive: 42, done: false })
  const { out } = await keyturn('import', '--check', '--setup', setup(), '--state', state, '--batch', '30', '--json')
  expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(other, 'utf8')))
  expect(existsSync(`${state}.new`)).toBe(false)
})

test('the progress bar says how far the check is', () => {
  expect(progressBar(0, 600)).toBe(`[${'.'.repeat(30)}] 0 of 600 sessions`)
  expect(progressBar(200, 600)).toBe(`[${'#'.repeat(10)}${'.'.repeat(20)}] 200 of 600 sessions`)
  // Sessions may be added meanwhile.
  expect(progressBar(601, 600)).toBe(`[${'#'.repeat(30)}] 601 of 600 sessions`)
  expect(progressBar(0, 0)).toBe(`[${'#'.repeat(30)}] 0 of 0 sessions`)
  expect(progressBar(7, null)).toBe('7 sessions')
})

test('IMP-16: shows how many arrive per day, and when the importer can be removed', async () => {
  const folder = createDirectory()
  const file = join(folder, 'keyturn.db')
  const store = openSqliteStore(file)
  const url = `sqlite:${file}`
  expect((await keyturn('import', url)).out).toBe('No session has arrived yet.')
  const today = Date.now() - Date.now() % DAY
  for (const [number, days] of [20, 20, 9].entries()) {
    const handle = sampleHandle(number)
    const admittedAt = today - days * DAY
    await store.admitImport({
      claim: sampleClaim({ handle, admittedAt, until: today + 90 * DAY }), record: sampleRecord({ handle }),
    })
  }
  await store.close()
  const { out } = await keyturn('import', url)
  expect(out).toMatch(/DAY +SESSIONS\n\d{4}-\d\d-\d\d +2\n\d{4}-\d\d-\d\d +1\n/)
  expect(out).toContain('No session has arrived for 8 days: it is safe to remove the importer and its secrets.')
  expect(JSON.parse((await keyturn('import', url, '--json')).out))
    .toMatchObject({ total: 3, quietDays: 8, state: 'quiet' })
})

test('says what is missing or wrong', async () => {
  const { folder } = oldApplication(0)
  const wrong = join(folder, 'wrong.mjs')
  writeFileSync(wrong, 'export default {}')
  expect(await keyturn('import', '--check')).toMatchObject({ code: 2, error: expect.stringContaining('--setup FILE') })
  expect(await keyturn('import', '--check', '--setup', wrong)).toMatchObject({
    code: 2, error: expect.stringContaining('must be what importSessions returns'),
  })
  expect((await keyturn('import', '--check', '--setup', join(folder, 'none.mjs'))).code).toBe(1)
  const endless = join(folder, 'endless.mjs')
  writeFileSync(endless, `
    import { importSessions } from ${JSON.stringify(join(root, 'src/import/index.ts'))}
    export default importSessions({ importers: [] })`)
  expect(await keyturn('import', '--check', '--setup', endless)).toMatchObject({
    code: 1, error: expect.stringContaining('until must be a date'),
  })
  expect((await keyturn('import', '--check', '--setup', wrong, '--batch', '0')).code).toBe(2)
})
