// `ready()`: what it opens, checks and reads, its bounds, and its typed reasons.
import { describe, expect, test } from 'vitest'
import { GeneralError } from '../../src/base/errors.ts'
import { createSessions } from '../../src/create-sessions.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { inMemory } from '../../src/testing/index.ts'
import { createTestCore, login, SECOND, settle } from '../support/test-core.ts'
import type { Core } from '../support/test-core.ts'
import { createTimedCore } from '../support/timed-core.ts'

const origin = 'https://app.example.com'

/** A store whose check waits until it is let go. */
function gatedStore(): { store: SessionStore; checks: () => number; open: () => void } {
  const inner = createMemoryStore()
  let checks = 0
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return {
    store: {
      ...inner,
      check() {
        checks += 1
        return opened
      },
    },
    checks: () => checks,
    open: () => open(),
  }
}

describe('L-36: ready()', () => {
  test('L-36: checks the store, creates the first keys and reads the log: the first requests need no further call', async () => {
    const { core, takeCalls, pass } = createTimedCore(createMemoryStore())
    await core.ready()
    const opened = takeCalls()
    expect(opened).toMatchObject({ check: 1, addKeyIfNewest: 2 })
    expect(opened['changesSince']).toBeGreaterThanOrEqual(1)
    const { accessToken } = await login(core)
    expect(takeCalls()).toEqual({ insert: 1 })
    expect(await core.verify(accessToken)).toMatchObject({ kind: 'active' })
    expect(takeCalls()).toEqual({})
    await pass(0)
  })

  test('L-36: calls at the same time share an attempt; after a success a call costs nothing', async () => {
    const gate = gatedStore()
    const { core, takeCalls } = createTimedCore(gate.store)
    const calls = [core.ready(), core.ready(), core.ready({ timeout: 3 })]
    await settle()
    gate.open()
    await Promise.all(calls)
    expect(gate.checks()).toBe(1)
    takeCalls()
    await core.ready()
    expect(takeCalls()).toEqual({})
  })

  test('L-36: after a failure it may be called again, and the log is then read again', async () => {
    const inner = createMemoryStore()
    let isDown = true
    const store = wrapStore((_, call) => async (...input) => {
      if (isDown) throw new GeneralError('STORE_UNAVAILABLE', 'connection refused', { reason: 'store-unreachable' })
      return call(inner, ...input)
    })
    const { core } = createTimedCore(store)
    await expect(core.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', reason: 'store-unreachable' })
    await expect(core.ready()).rejects.toThrow('check that the store runs and that its address is right')
    isDown = false
    await core.ready()
    expect(await core.health()).toMatchObject({ status: 'ok', feed: { state: 'following' } })
  })

  test('L-36: a log that cannot be read is a failure, and no failure the next time', async () => {
    const inner = createMemoryStore()
    let isBroken = true
    const { core } = createTimedCore({
      ...inner,
      async changesSince(cursor, limit) {
        if (isBroken) throw new Error('refused')
        return inner.changesSince(cursor, limit)
      },
    })
    await expect(core.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', reason: 'store-failed' })
    isBroken = false
    await core.ready()
  })

  test('L-36: the wait ends at the timeout, which is 10 seconds by default, or at the signal; a later call joins the attempt', async () => {
    const gate = gatedStore()
    const { core, pass } = createTimedCore(gate.store)
    const ends: string[] = []
    const note = (name: string, ready: Promise<void>): Promise<void> => (
      ready.then(() => void ends.push(`${name} ready`), (error: unknown) => void ends.push(`${name} ${String(error)}`))
    )
    const controller = new AbortController()
    const waits = [
      note('short', core.ready({ timeout: '1s' })), note('usual', core.ready()),
      note('aborted', core.ready({ signal: controller.signal })),
    ]
    await pass(999)
    expect(ends).toEqual([])
    await pass(1)
    expect(ends)
      .toEqual(['short GeneralError: sessions were not ready within 1000 ms: the store does not answer; check '
      + 'its address, or set timeout higher if its change log is very long'])
    controller.abort(new Error('shutting down'))
    await settle()
    expect(ends[1]).toBe('aborted Error: shutting down')
    await pass(8_999)
    expect(ends).toHaveLength(2)
    await pass(1)
    await Promise.all(waits)
    expect(ends[2]).toMatch(/^usual GeneralError: sessions were not ready within 10000 ms/)
    await expect(core.ready({ timeout: 1, signal: AbortSignal.abort(new Error('too late')) }))
      .rejects.toThrow('too late')
    const joined = core.ready()
    gate.open()
    await joined
    expect(gate.checks()).toBe(1)
  })

  test('L-36: a signal that has no effect any more is not listened to', async () => {
    const { core } = createTimedCore(createMemoryStore())
    const { signal } = new AbortController()
    const listeners = new Set<unknown>()
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    let most = 0
    Object.assign(signal, {
      addEventListener(type: 'abort', listener: () => void) {
        listeners.add(listener)
        most = Math.max(most, listeners.size)
        add(type, listener)
      },
      removeEventListener(type: 'abort', listener: () => void) {
        listeners.delete(listener)
        remove(type, listener)
      },
    })
    await core.ready({ signal })
    expect([most, listeners.size]).toEqual([1, 0])
  })

  test('L-36: invalid options are named', async () => {
    const { core } = createTimedCore(createMemoryStore())
    await expect(core.ready({ timeout: 0 })).rejects.toThrow('timeout must be a duration from 1 ms to 1 hour')
  })

  test('L-36: adapters and embedded sessions have it; keys that cannot be used are named with their reason', async () => {
    const store = createMemoryStore()
    const secret = 'a secret of at least thirty-two characters'
    const open = (secrets: { secret?: string | readonly string[] }): ReturnType<typeof createSessions> => (
      createSessions({ origin, ...inMemory(), store, ...secrets })
    )
    await open({ secret }).ready()
    await expect(open({}).ready()).rejects.toMatchObject({ code: 'MISUSE', reason: 'keys-undecryptable' })
    await expect(open({ secret: secret.toUpperCase() }).ready()).rejects.toMatchObject({ reason: 'keys-undecryptable' })
    const plain = createMemoryStore()
    await createSessions({ origin, ...inMemory(), store: plain }).ready()
    await expect(createSessions({ origin, ...inMemory(), store: plain, secret }).ready())
      .rejects.toMatchObject({ code: 'MISUSE', reason: 'keys-unencrypted' })
  })

  test('L-36: without it, everything works lazily as before', async () => {
    const { core, takeCalls } = createTestCore()
    const { accessToken } = await login(core)
    expect(await core.verify(accessToken)).toMatchObject({ kind: 'active' })
    expect(takeCalls()).not.toContain('check')
  })
})

describe('L-36: the first answer of a store that is silent', () => {
  /** How long a store's own calls wait. */
  const LIMIT = 5 * SECOND

  /** A process whose store rejects each call after its time limit, and notes when each began. */
  function silentProcess(): ReturnType<typeof createTimedCore> {
    let later: ((task: () => void, delay: number) => unknown) | null = null
    const store = wrapStore((name, call) => (...input) => {
      if (name === 'close') return call(createMemoryStore(), ...input)
      return new Promise((_, reject) => later?.(() => reject(
        new GeneralError('STORE_UNAVAILABLE', `no answer within ${LIMIT} ms`, { reason: 'store-unreachable' })), LIMIT))
    })
    const process = createTimedCore(store, {}, 1, true)
    later = process.schedule
    return process
  }

  test.each<readonly [name: string, act: (core: Core) => Promise<unknown>]>([
    ['a login', core => login(core)],
    ['a verification', core => core.verify(token)],
    ['a refresh', core => core.refresh(refreshToken, 'header', { ip: null, userAgent: null })],
    ['a revocation of all of a user', core => core.revokeAllSessionsForUser('alice')],
    ['a look-up', core => core.getSessionInfo('hAAAAAAAAAAAAAAAAAAAAAA')],
    ['the key set', core => core.getJwks()],
  ])('L-36: %s is answered with STORE_UNAVAILABLE within the time limit of one call', async (_, act) => {
    const { core, pass } = silentProcess()
    let outcome: unknown = null
    void act(core).then(() => {
      outcome = 'answered'
    }, (error: unknown) => {
      outcome = error
    })
    await pass(LIMIT - 1)
    expect(outcome).toBeNull()
    await pass(1)
    await settle()
    expect(outcome).toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503, reason: 'store-unreachable' })
  })
})

// Tokens of another process with the same application; only its store could tell that they are not its own.
const other = createTestCore({ algorithm: 'HS256' })
const { accessToken: token, refreshToken } = await login(other.core)
