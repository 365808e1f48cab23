import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Change } from '../../../src/session/store.ts'
import { openSqliteStore } from '../../../src/stores/sqlite.ts'
import { sampleHandle, sampleRecord } from '../../../src/testing/samples.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyturn-processes-'))
const script = join(import.meta.dirname, '../../support/sqlite-child.ts')
const started: Child[] = []

afterAll(() => {
  for (const { process } of started) process.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  readonly lines: AsyncIterableIterator<string>
}

function start(task: string, file: string, number: number): Child {
  const child = spawn(process.execPath, ['--conditions=keyturn-source', script, task, file, `${number}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  started.push({ process: child, lines })
  return { process: child, lines }
}

/** Starts processes, lets them continue at the same time, and returns what each prints. */
async function together(count: number, task: string, file: string): Promise<string[]> {
  const children = Array.from({ length: count }, (_, number) => start(task, file, number))
  for (const { lines } of children) expect(await lines.next()).toMatchObject({ value: 'ready' })
  for (const { process } of children) process.stdin.end('go')
  return Promise.all(children.map(async ({ lines }) => String((await lines.next()).value)))
}

test('ROT-02: of 50 rotations by 5 processes exactly one succeeds, and all see its row', async () => {
  const file = join(directory, 'race.db')
  const store = openSqliteStore(file)
  await store.insert(sampleRecord())
  const answers = (await together(5, 'race', file)).map((line): { won: string[], row: string } => JSON.parse(line))
  const won = answers.flatMap(answer => answer.won)
  expect(won).toHaveLength(1)
  expect(answers.map(answer => answer.row)).toEqual(answers.map(() => won[0]))
  expect((await store.find(sampleHandle(1)))?.refreshHash).toBe(won[0])
  await store.close()
})

test('6 processes may open a new file at once', async () => {
  const file = join(directory, 'new.db')
  expect(await together(6, 'first', file)).toEqual(Array(6).fill('done'))
  const store = openSqliteStore(file)
  expect((await store.listByUser('user-1', { limit: 100, after: null })).sessions).toHaveLength(6)
  await store.close()
})

test('importing the module does not load SQLite; opening a store does', () => {
  const sqlite = join(import.meta.dirname, '../../../src/stores/sqlite.ts')
  const program = `
    const loaded = () => process.moduleLoadList.includes('NativeModule sqlite')
    const { openSqliteStore } = await import(${JSON.stringify(sqlite)})
    const before = loaded()
    await openSqliteStore(':memory:').close()
    console.log(before, loaded())`
  const options = ['--conditions=keyturn-source', '--input-type=module', '--eval', program]
  expect(spawnSync(process.execPath, options, { encoding: 'utf8' }).stdout).toBe('false true\n')
})

test('followers hear of another process within a second', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const file = join(directory, 'follow.db')
  const store = openSqliteStore(file)
  let heard = 0
  const stop = await store.follow(() => { heard += 1 })
  const child = start('churn', file, 1)
  for await (const line of child.lines) if (line.startsWith('removed')) break
  expect(heard).toBe(0)
  await vi.advanceTimersByTimeAsync(1000)
  expect(heard).toBeGreaterThan(0)
  child.process.kill('SIGKILL')
  await stop()
  await store.close()
})

test('kill -9: nothing that was acknowledged is lost, nothing removed comes back', async () => {
  const file = join(directory, 'killed.db')
  const said: string[] = []
  for (const [round, count] of [60, 151, 333].entries()) {
    const child = start('churn', file, round * 10_000)
    let heard = 0
    for await (const line of child.lines) {
      said.push(line)
      heard += 1
      if (heard === count) child.process.kill('SIGKILL')
    }
    if (child.process.signalCode === null) await once(child.process, 'exit')
    expect(child.process.signalCode).toBe('SIGKILL')
  }

  const store = openSqliteStore(file)
  const sessions = new Map<number, { generation: number, removal: 'none' | 'tried' | 'done' }>()
  for (const line of said) {
    const [what, session, generation] = line.split(' ')
    const known = sessions.get(Number(session)) ?? { generation: 0, removal: 'none' }
    if (what === 'rotated') known.generation = Number(generation)
    if (what === 'removing') known.removal = 'tried'
    if (what === 'removed') known.removal = 'done'
    sessions.set(Number(session), known)
  }
  const revoked = await readRevoked(store)
  for (const [session, { generation, removal }] of sessions) {
    const record = await store.find(sampleHandle(session))
    if (removal === 'none') expect(record?.generation, `session ${session}`).toBeGreaterThanOrEqual(generation)
    if (removal === 'done') expect(record, `session ${session}`).toBeNull()
    expect(revoked.has(sampleHandle(session)), 'removed and in the change log, or neither').toBe(record === null)
  }
  expect([...sessions.values()].filter(({ removal }) => removal === 'done').length).toBeGreaterThan(20)
  await store.close()

  const database = new DatabaseSync(file)
  expect({ ...database.prepare('PRAGMA integrity_check').get() }).toEqual({ integrity_check: 'ok' })
  database.close()
})

async function readRevoked(store: ReturnType<typeof openSqliteStore>): Promise<Set<string>> {
  const { changes } = await store.changesSince(null, 10_000)
  return new Set(changes.flatMap((change: Change) => change.kind === 'revoked' ? change.handles : []))
}
