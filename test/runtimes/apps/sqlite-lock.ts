// Logs in while another connection of the runtime's own SQLite holds the write lock. Prints how often the event loop
// ran meanwhile, and the result.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import { sampleRecord } from '../../../src/testing/samples.ts'
import { sqliteDriver } from './sqlite-driver.ts'

const open = await sqliteDriver(process.argv[2])
const directory = mkdtempSync(join(tmpdir(), 'keyturn-lock-'))
const file = join(directory, 'sessions.db')
const [durable, fast, other] = [open(file), open(file), open(file)]
const store = createSqliteStore(durable, { fast })
other.exec('BEGIN IMMEDIATE')
let ticks = 0
let ticksWhenDone = 0
const login = store.insert(sampleRecord())
void login.then(() => { ticksWhenDone = ticks })
for (; ticks < 20; ticks++) await new Promise(resolve => setTimeout(resolve, 0))
const found = await store.find(sampleRecord().handle)
other.exec('ROLLBACK')
const isInserted = await login
await store.close()
for (const database of [durable, fast, other]) database.close()
rmSync(directory, { recursive: true })
console.log(JSON.stringify({ ticksWhenDone, found, isInserted }))
