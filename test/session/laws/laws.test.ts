import { expect, test } from 'vitest'
import { createCore } from '../../support/create-core.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { openSqliteStore } from '../../../src/stores/sqlite.ts'
import { longest } from './honest-client.ts'
import { lawsOfRotation } from './laws.ts'
import { client, R, rightClocks, World, wrongClocks } from './world.ts'

/** With CI=true, more lives are run. */
const share = process.env['CI'] === 'true' ? 1 : 1 / 4

const memory = async (): Promise<SessionStore> => createMemoryStore()
lawsOfRotation('the memory store', async () => memory, { lives: 400 * share, span: longest, races: 80 * share })
const sqlite = async (): Promise<SessionStore> => openSqliteStore(':memory:')
lawsOfRotation('the SQLite store', async () => sqlite, { lives: 40 * share, span: longest, races: 8 * share })

test('LAW-4 (ST-01): no secret of a refresh token is in the record, the access token or an event', async () => {
  const world = new World(createCore, createMemoryStore(), 4)
  const secrets: string[] = []
  let jar = await world.login()
  for (let generation = 0; generation < 4; generation++) {
    secrets.push(...jar.refreshToken.split('.').slice(5))
    await world.advanceTo(world.now + 130_000)
    jar = (await world.refresh(jar)).jar ?? jar
  }
  secrets.push(...jar.refreshToken.split('.').slice(5))
  const atRest = JSON.stringify([
    await world.record(jar),
    Buffer.from(jar.accessToken.split('.')[1] ?? '', 'base64url').toString(),
    world.events,
    await world.store.changesSince(null, 1000),
  ])
  for (const secret of secrets) expect(atRest).not.toContain(secret)
})

test('LAW-4: the hash in the record cannot replace the secret', async () => {
  const world = new World(createCore, createMemoryStore(), 4)
  const jar = await world.login()
  const record = await world.record(jar)
  const parts = jar.refreshToken.split('.')
  parts[6] = record?.refreshHash ?? ''
  expect(await world.core().refresh(parts.join('.'), 'header', client)).toEqual({ kind: 'unauthorized', ended: false })
})

test('LAW-3 over a key rotation: a retry returns the same bytes although a new refresh key is active', async () => {
  const world = new World(createCore, createMemoryStore(), 6, rightClocks(2))
  const jar = await world.login()
  await world.rotateKeys(1)
  world.now += 3_600_000 - 1
  const before = await world.refresh(jar, 0)
  world.now += R / 3
  const after = await world.refresh(jar, 1)
  expect(after.how).toBe('retry')
  expect(after.jar?.refreshToken).toBe(before.jar?.refreshToken)
})

test('a session and its access token expire at the same time on all processes, although their clocks are minutes off', async () => {
  const world = new World(createCore, createMemoryStore(), 8, wrongClocks)
  const processes = wrongClocks.skews.map((_, index) => index)
  for (const index of processes) {
    const start = world.now
    const jar = await world.login(index)
    const verdicts = (): Promise<string[]> => Promise.all(processes.map(async process =>
      (await world.core(process).verify(jar.accessToken)).kind))
    await world.advanceTo(jar.expiresAt - 1000)
    expect(await verdicts()).toEqual(processes.map(() => 'active'))
    await world.advanceTo(jar.expiresAt + 1000)
    expect(await verdicts()).toEqual(processes.map(() => 'refresh-required'))
    await world.advanceTo(start + world.core().policy.idleTimeout - 2000)
    for (const process of processes) expect((await world.refresh(jar, process)).kind).toBe('refreshed')
    const other = await world.login(index)
    await world.advanceTo(world.now + world.core().policy.idleTimeout + 2000)
    for (const process of processes) expect((await world.refresh(other, process)).kind).toBe('unauthorized')
  }
})
