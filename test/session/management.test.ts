// Reading and updating sessions without a request, in one tenant and in all.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createTestClock } from '../support/session-server.ts'
import { createTestCore, DAY, login } from '../support/test-core.ts'
import type { Core } from '../support/test-core.ts'
import { present } from '../support/present.ts'

/** Two processes on one store: each `open` returns a store for one of them. */
const folder = mkdtempSync(join(tmpdir(), 'keyturn-'))
const opened: SessionStore[] = []
let files = 0
const worlds: readonly (readonly [name: string, create: () => () => SessionStore])[] = [
  ['memory', () => {
    const store = createMemoryStore()
    return () => store
  }],
  ['SQLite', () => {
    const file = join(folder, `${files++}.db`)
    return () => {
      const store = openSqliteStore(file)
      opened.push(store)
      return store
    }
  }],
]
afterAll(async () => {
  for (const store of opened) await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const inTenant = async (core: Core, tenantId: string, userId = 'alice'): Promise<string> => (
  await core.create({
    userId, mode: 'cookie', client: { ip: null, userAgent: null }, jwtPayload: { role: 'reader' },
    options: { tenantId },
  })
).claims.sid

const notFound = { code: 'SESSION_NOT_FOUND' }
const unknownHandle = createHandle('cookie', length => new Uint8Array(length))

describe.each(worlds)('on %s', (_name, create) => {
  test('L-16: a session is read by its handle, with user, tenant, data and times', async () => {
    const { core, clock } = createTestCore({ store: create()() })
    const handle = await inTenant(core, 'acme')
    await core.updateSessionInfo(handle, { note: 'x' })
    const found = await core.getSessionByHandle(handle)
    expect(found).toEqual({
      handle, userId: 'alice', tenantId: 'acme', createdAt: clock(),
      expiresAt: Math.ceil((clock() + 100 * DAY) / DAY) * DAY,
      ip: null, userAgent: null, jwtPayload: { role: 'reader' }, sessionInfo: { note: 'x' },
    })
    await core.revokeSession(handle)
    for (const gone of [handle, unknownHandle, 'nonsense']) {
      await expect(core.getSessionByHandle(gone)).rejects.toMatchObject(notFound)
    }
    const idle = await inTenant(core, 'acme')
    clock.advance(101 * DAY)
    await expect(core.getSessionByHandle(idle)).rejects.toMatchObject(notFound)
  })

  test('L-16: of updates by function in several processes none is lost', async () => {
    const open = create()
    const clock = createTestClock()
    const cores = Array.from({ length: 3 }, () => createTestCore({ store: open(), clock }).core)
    const core = (index: number): Core => present(cores[index % 3])
    const handle = await inTenant(core(0), 'public')
    const add = (digit: string) => async ({ role = '' }: { role?: string }) => {
      // Other updates run between reading and writing.
      await Promise.resolve()
      return { role: role + digit }
    }
    await core(0).updateJwtPayload(handle, { role: '' })
    await Promise.all([
      ...Array.from('abcdef', (digit, index) => core(index).updateJwtPayload(handle, add(digit))),
      ...Array.from('ghi', (digit, index) => core(index).updateJwtPayloadForUser('alice', add(digit))),
    ])
    const { jwtPayload } = await core(0).getSessionByHandle(handle)
    expect([...jwtPayload.role ?? ''].sort().join('')).toBe('abcdefghi')
  })

  test('L-16: an update between reading and writing is repeated, and the function sees the newer payload', async () => {
    const open = create()
    const clock = createTestClock()
    const [core, other] = [createTestCore({ store: open(), clock }).core, createTestCore({ store: open(), clock }).core]
    const handle = await inTenant(core, 'public')
    const seen: (string | undefined)[] = []
    const changed = await core.updateJwtPayloadForUser('alice', async ({ role }) => {
      seen.push(role)
      if (seen.length === 1) await other.updateJwtPayload(handle, { role: 'editor' })
      return { role: `${role}+` }
    })
    expect([seen, changed]).toEqual([['reader', 'editor'], [handle]])
    expect((await core.getSessionByHandle(handle)).jwtPayload).toEqual({ role: 'editor+' })
  })

  test('L-16: all sessions of a user get a new payload; a revoked one is skipped, an equal one is not written', async () => {
    const { core, store } = createTestCore({ store: create()() })
    const handles: string[] = []
    for (let number = 0; number < 105; number++) handles.push(await inTenant(core, 'public'))
    const [revoked = '', same = ''] = handles
    await core.updateJwtPayload(same, { role: 'admin' })
    const bobs = await inTenant(core, 'public', 'bob')
    const changed = await core.updateJwtPayloadForUser('alice', async () => {
      await core.revokeSession(revoked)
      return { role: 'admin' }
    })
    expect([...changed].sort()).toEqual(handles.filter(handle => handle !== revoked && handle !== same).sort())
    for (const handle of changed) expect((await core.getSessionByHandle(handle)).jwtPayload).toEqual({ role: 'admin' })
    expect((await core.getSessionByHandle(bobs)).jwtPayload).toEqual({ role: 'reader' })
    await expect(core.getSessionByHandle(revoked)).rejects.toMatchObject(notFound)
    const payloads = (await store.changesSince(null, 1000)).changes.filter(({ kind }) => kind === 'payload')
    expect(payloads).toHaveLength(1 + 103)
    expect(await core.updateJwtPayloadForUser('nobody', () => ({}))).toEqual([])
  })

  test('L-15: a limit on sessions counts within a tenant, so that no login ends a session of another', async () => {
    const { core, clock } = createTestCore({ store: create()(), maxSessionsPerUser: 2 })
    const handles: string[] = []
    for (const tenantId of ['acme', 'acme', 'globex', 'globex', 'globex']) {
      clock.advance(1)
      handles.unshift(await inTenant(core, tenantId))
    }
    const [third, second, _first, ...acme] = handles
    expect(await core.getAllSessionHandlesForUser('alice')).toEqual([third, second, ...acme])
  })

  test('L-15: lists and revocations concern one tenant or all', async () => {
    const { core, clock } = createTestCore({ store: create()() })
    const of: Record<string, string[]> = { acme: [], globex: [] }
    for (const tenantId of ['acme', 'globex', 'globex', 'acme', 'globex', 'acme', 'acme']) {
      clock.advance(1)
      of[tenantId]?.unshift(await inTenant(core, tenantId))
    }
    const pages: string[][] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<Core['listSessions']>> =
        await core.listSessions('alice', { tenantId: 'acme', limit: 3, after })
      pages.push(page.sessions.map(({ handle }) => handle))
      after = page.next
    } while (after !== null)
    expect(pages, 'sessions of other tenants leave no gap in a page')
      .toEqual([of['acme']?.slice(0, 3), of['acme']?.slice(3)])
    expect(await core.getAllSessionHandlesForUser('alice', { tenantId: 'globex' })).toEqual(of['globex'])
    expect((await core.listSessions('alice')).sessions).toHaveLength(7)
    expect(await core.updateJwtPayloadForUser('alice', () => ({ role: 'admin' }), { tenantId: 'acme' }))
      .toEqual(of['acme'])
    expect([...await core.revokeAllSessionsForUser('alice', { tenantId: 'acme' })].sort())
      .toEqual([...of['acme'] ?? []].sort())
    expect(await core.getAllSessionHandlesForUser('alice')).toEqual(of['globex'])
    for (const call of [
      () => core.listSessions('alice', { tenantId: 'Acme' }),
      () => core.getAllSessionHandlesForUser('alice', { tenantId: '' }),
    ]) await expect(call()).rejects.toMatchObject({ code: 'MISUSE' })
  })
})

test('L-16: an update by function costs two store calls, and one if it changes nothing', async () => {
  const { core, takeCalls } = createTestCore()
  const { claims: { sid } } = await login(core)
  await inTenant(core, 'public')
  takeCalls()
  await core.updateJwtPayload(sid, current => ({ ...current, role: 'admin' }))
  expect(takeCalls()).toEqual(['find', 'updatePayload'])
  await core.updateJwtPayload(sid, current => current)
  expect(takeCalls()).toEqual(['find'])
  await core.updateJwtPayloadForUser('alice', () => ({ role: 'owner' }))
  expect(takeCalls().toSorted()).toEqual(['find', 'find', 'listByUser', 'updatePayload', 'updatePayload'])
})

test('L-15: a page of one tenant takes at most ten store calls', async () => {
  const { core, clock, takeCalls } = createTestCore()
  const first = await inTenant(core, 'acme')
  clock.advance(1)
  for (let number = 0; number < 15; number++) await inTenant(core, 'globex')
  takeCalls()
  const page = await core.listSessions('alice', { tenantId: 'acme', limit: 1 })
  expect(takeCalls()).toHaveLength(10)
  expect(page.sessions).toEqual([])
  expect((await core.listSessions('alice', { tenantId: 'acme', limit: 10, after: page.next })).sessions)
    .toMatchObject([{ handle: first }])
})

test('L-16: a payload that a function returns is checked like any other', async () => {
  const { core } = createTestCore()
  const { claims: { sid } } = await login(core)
  const before = await core.getSessionByHandle(sid)
  for (const wrong of [{ sub: 'eve' }, { role: 'x'.repeat(3000) }, { at: new Date() }, null, 'text', undefined]) {
    await expect(core.updateJwtPayload(sid, () => wrong as never)).rejects.toMatchObject({ code: 'INVALID_DATA' })
    await expect(core.updateJwtPayloadForUser('alice', () => wrong as never))
      .rejects.toMatchObject({ code: 'INVALID_DATA' })
  }
  await expect(core.updateJwtPayloadForUser('alice', {} as never)).rejects.toMatchObject({ code: 'MISUSE' })
  expect(await core.getSessionByHandle(sid)).toEqual(before)
})
