import { describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleState } from '../../src/testing/samples.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, login, owner, refreshed, SECOND } from '../support/test-core.ts'

describe('a refresh with concurrent ones', () => {
  test('fails with an error, not with a logout, if another process always writes first', async () => {
    const inner = createMemoryStore()
    let lost = 0
    const store: SessionStore = { ...inner, rotate: async () => (lost++, null) }
    const { core } = createTestCore({ store })
    const { refreshToken } = await login(core)
    await expect(core.refresh(refreshToken, 'header', owner))
      .rejects.toMatchObject({ code: 'REFRESH_BUSY', retryAfter: 1 })
    expect(lost).toBe(7)
  })

  test('decides again after a lost write: all get the child of the process that wrote', async () => {
    const inner = createMemoryStore()
    let interfere: (() => Promise<unknown>) | null = null
    const store: SessionStore = {
      ...inner,
      async find(handle) {
        const record = await inner.find(handle)
        const other = interfere
        interfere = null
        await other?.()
        return record
      },
    }
    const { core, clock } = createTestCore({ store })
    const first = await login(core)
    await refreshed(core, first.refreshToken)
    clock.advance(3600 * SECOND)
    const rival = createTestCore({ store: inner, clock })
    let branch = ''
    interfere = async () => {
      branch = (await refreshed(rival.core, first.refreshToken)).refreshToken
    }
    const answer = await core.refresh(first.refreshToken, 'header', owner)
    expect(answer).toMatchObject({ kind: 'refreshed', how: 'retry', issued: { refreshToken: branch } })
  })

  test('a retry after a quarter of the interval extends the window for later ones', async () => {
    const { core, clock, store } = createTestCore()
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(20 * SECOND)
    await refreshed(core, first.refreshToken)
    expect((await store.find(first.claims.sid))?.servedAt).toBe(clock())
    clock.advance(59 * SECOND)
    expect(await core.refresh(first.refreshToken, 'header', owner))
      .toMatchObject({ how: 'retry', issued: { refreshToken: second.refreshToken } })
  })

  test('a store that lost its newest rotation adopts the client\'s token', async () => {
    const { core, store } = createTestCore()
    const first = await login(core)
    const before = await store.find(first.claims.sid)
    const second = await refreshed(core, first.refreshToken)
    const after = await store.find(first.claims.sid)
    if (before === null || after === null) throw new Error('the session is gone')
    await store.rotate({
      handle: before.handle,
      expected: sampleState(after),
      bounds: { now: 0, rotatedAfter: -1, createdAfter: -1 },
      next: before,
    })
    const answer = await core.refresh(second.refreshToken, 'header', owner)
    expect(answer).toMatchObject({ kind: 'refreshed', how: 'adopt', issued: { claims: { gen: 1, brn: 0 } } })
    expect(answer.kind === 'refreshed' && answer.issued.refreshToken, 'the same token is returned')
      .toBe(second.refreshToken)
    expect(await store.find(first.claims.sid))
      .toMatchObject({ generation: 1, confirmed: false, refreshKeyId: after.refreshKeyId })
  })
})

describe('concurrent updates of session data', () => {
  test('with a function: of 40, none is lost', async () => {
    const { core } = createTestCore()
    const { claims } = await login(core, 'alice', { sessionInfo: { count: 0 } })
    await Promise.all(Array.from({ length: 40 }, () =>
      core.updateSessionInfo(claims.sid, info => ({ count: (info.count ?? 0) + 1 }))))
    expect(await core.getSessionInfo(claims.sid)).toEqual({ count: 40 })
  })

  test('an update that never succeeds is an error', async () => {
    const store: SessionStore = { ...createMemoryStore(), updateInfo: async () => false }
    const { core } = createTestCore({ store })
    const { claims } = await login(core)
    await expect(core.updateSessionInfo(claims.sid, () => ({ count: 1 })))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('confirmations', () => {
  test('are written in batches of at most 500, each session once', async () => {
    const batches: number[] = []
    const inner = createMemoryStore()
    const store: SessionStore = { ...inner, confirm: async batch => (batches.push(batch.length), inner.confirm(batch)) }
    const { core, clock, runTasks } = createTestCore({ store })
    const tokens = await Promise.all(Array.from({ length: 1001 }, async (_, user) =>
      (await refreshed(core, (await login(core, `user${user}`)).refreshToken)).accessToken))
    clock.advance(62 * SECOND)
    for (const token of [...tokens, ...tokens]) await core.verify(token)
    await runTasks()
    expect(batches).toEqual([500, 500, 1])
    for (const token of tokens) await core.verify(token)
    await runTasks()
    expect(batches).toHaveLength(3)
  })

  test('are written once for each refresh, however often its tokens are used', async () => {
    const inner = createMemoryStore()
    let down = true
    const failures: string[] = []
    const store: SessionStore = {
      ...inner,
      confirm: batch => down ? Promise.reject(new Error('down')) : inner.confirm(batch),
    }
    const { core, clock, runTasks } = createTestCore({
      store, events: { onBackgroundError: ({ during }) => failures.push(during) },
    })
    const second = await refreshed(core, (await login(core)).refreshToken)
    clock.advance(62 * SECOND)
    for (let count = 0; count < 3; count++) {
      await core.verify(second.accessToken)
      await runTasks()
    }
    expect(failures).toEqual(['confirmation'])
    down = false
    const third = await refreshed(core, second.refreshToken)
    clock.advance(62 * SECOND)
    await core.verify(third.accessToken)
    await runTasks()
    expect((await inner.find(third.claims.sid))?.confirmed).toBe(true)
  })

  test('are written before a process ends', async () => {
    const store = createMemoryStore()
    const { core, clock } = createTestCore({ store: { ...store, close: async () => undefined } })
    const { accessToken, claims } = await refreshed(core, (await login(core)).refreshToken)
    clock.advance(62 * SECOND)
    await core.verify(accessToken)
    await core.close()
    expect((await store.find(claims.sid))?.confirmed).toBe(true)
  })
})
