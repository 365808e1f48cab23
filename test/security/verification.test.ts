import { describe, expect, test } from 'vitest'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createCutStore, createTestClock } from '../support/session-server.ts'
import { createTestCore, HOUR, login, owner, SECOND, settle } from '../support/test-core.ts'

/** The platform's cryptography, with a counter of verified signatures. */
function countingCrypto(): { crypto: typeof nodeCrypto; checks: () => number } {
  let checked = 0
  const crypto: typeof nodeCrypto = {
    ...nodeCrypto,
    async verifier(algorithm, key) {
      const verify = await nodeCrypto.verifier(algorithm, key)
      return (input, signature) => {
        checked++
        return verify(input, signature)
      }
    },
  }
  return { crypto, checks: () => checked }
}

describe('TOK-17: a token that was verified before', () => {
  test('is not verified again', async () => {
    const { crypto, checks } = countingCrypto()
    const { core } = createTestCore({ crypto })
    const { accessToken } = await login(core)
    for (let request = 0; request < 5; request++) expect((await core.verify(accessToken)).kind).toBe('active')
    expect(checks()).toBe(1)
  })

  test('is rejected from the second of its expiry', async () => {
    const { core, clock } = createTestCore()
    const { accessToken, claims } = await login(core)
    await core.verify(accessToken)
    clock.advance(claims.exp * SECOND - clock() - 1)
    expect((await core.verify(accessToken)).kind).toBe('active')
    clock.advance(1)
    expect(await core.verify(accessToken)).toEqual({ kind: 'refresh-required', reason: 'expired' })
  })

  test('is rejected once its key was removed', async () => {
    const { core } = createTestCore()
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    await core.revokeEverySession()
    expect((await core.verify(accessToken)).kind).toBe('refresh-required')
  })

  test('is rejected once its session was revoked', async () => {
    const { core } = createTestCore()
    const { accessToken, claims } = await login(core)
    await core.verify(accessToken)
    await core.revokeSession(claims.sid)
    expect(await core.verify(accessToken)).toEqual({ kind: 'revoked', handle: claims.sid })
  })

  test('is cached by all of its characters: a forged token that is similar is rejected', async () => {
    const { core } = createTestCore()
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    const forged = accessToken.slice(0, -2) + (accessToken.at(-2) === 'A' ? 'B' : 'A') + accessToken.slice(-1)
    expect((await core.verify(forged)).kind).not.toBe('active')
  })

  test('a forged token is never cached, and is rejected each time', async () => {
    const { crypto, checks } = countingCrypto()
    const { core } = createTestCore({ crypto })
    const { accessToken } = await login(core)
    const [header, payload] = accessToken.split('.')
    const forged = `${header}.${payload}.${'A'.repeat(86)}`
    for (let request = 0; request < 3; request++) {
      expect(await core.verify(forged)).toEqual({ kind: 'refresh-required', reason: 'invalid' })
    }
    expect(checks()).toBe(3)
  })
})

test('TOK-06: a token of a key that another process has just added is accepted after one read of the store', async () => {
  const store = createMemoryStore()
  const clock = createTestClock()
  const here = createTestCore({ store, clock })
  await login(here.core)
  const elsewhere = createTestCore({ store, clock })
  await elsewhere.core.revokeEverySession()
  const { accessToken } = await login(elsewhere.core)
  expect((await here.core.verify(accessToken)).kind).toBe('active')
})

test('DOS-01: a string that is too long for a token is rejected unread', async () => {
  const { crypto, checks } = countingCrypto()
  let digests = 0
  const { core } = createTestCore({ crypto: { ...crypto, digest: text => (digests++, nodeCrypto.digest(text)) } })
  const { accessToken } = await login(core)
  digests = 0
  expect((await core.verify(accessToken + 'A'.repeat(8192))).kind).toBe('unrecognized')
  expect([digests, checks()]).toEqual([0, 0])
})

describe('a payload that was updated elsewhere', () => {
  test('is in a new access token with the next request, once', async () => {
    const { core, takeCalls } = createTestCore()
    const { accessToken, claims } = await login(core, 'alice', { jwtPayload: { role: 'reader' } })
    await core.verify(accessToken)
    await core.updateJwtPayload(claims.sid, { role: 'admin' })
    takeCalls()
    const verdict = await core.verify(accessToken)
    expect(verdict).toMatchObject({ kind: 'active', payload: { role: 'admin' }, claims: { pv: 1, exp: claims.exp } })
    expect(takeCalls()).toEqual(['find'])
    const reissued = verdict.kind === 'active' ? verdict.reissued?.accessToken ?? '' : ''
    expect(await core.verify(reissued)).toMatchObject({ kind: 'active', payload: { role: 'admin' }, reissued: null })
    expect(takeCalls()).toEqual([])
  })

  test('is found with strict without a feed', async () => {
    const store = createMemoryStore()
    const here = createTestCore({ store, accessTokenBlacklisting: 'strict' })
    const elsewhere = createTestCore({ store, clock: here.clock, accessTokenBlacklisting: 'strict' })
    const { accessToken, claims } = await login(here.core)
    await elsewhere.core.updateJwtPayload(claims.sid, { role: 'admin' })
    expect(await here.core.verify(accessToken)).toMatchObject({ kind: 'active', payload: { role: 'admin' } })
  })
})

describe('REV-11: a stale feed', () => {
  test('is not trusted: the session is read from the store', async () => {
    const { core, clock, takeCalls } = createTestCore({ maxStaleness: 5 })
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    takeCalls()
    clock.advance(5 * SECOND)
    await core.verify(accessToken)
    expect(takeCalls()).toEqual([])
    clock.advance(1)
    expect((await core.verify(accessToken)).kind).toBe('active')
    expect(takeCalls()).toEqual(['find'])
  })

  test('with the store down, failOpen accepts a valid token and reports it', async () => {
    const heard: string[] = []
    const cut = createCutStore()
    const { core, clock } = createTestCore({
      store: cut.store, maxStaleness: 5, events: { onUncheckedRevocation: ({ handle }) => heard.push(handle) },
    })
    const { accessToken, claims } = await login(core)
    await core.verify(accessToken)
    cut.down = true
    clock.advance(6 * SECOND)
    expect((await core.verify(accessToken)).kind).toBe('active')
    await settle()
    expect(heard).toEqual([claims.sid])
  })

  test('with the store down, failOpen still rejects sessions that are known to be revoked', async () => {
    const cut = createCutStore()
    const { core, clock } = createTestCore({ store: cut.store, maxStaleness: 5 })
    const { accessToken, claims } = await login(core)
    await core.verify(accessToken)
    await core.revokeSession(claims.sid)
    cut.down = true
    clock.advance(6 * SECOND)
    expect((await core.verify(accessToken)).kind).toBe('revoked')
  })

  test('with the store down, failClosed is STORE_UNAVAILABLE, and so is strict in any case', async () => {
    const cut = createCutStore()
    const { core, clock } = createTestCore({ store: cut.store, maxStaleness: 5, onStoreFailure: 'failClosed' })
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    cut.down = true
    clock.advance(6 * SECOND)
    await expect(core.verify(accessToken)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const open = createTestCore({ store: cut.store })
    cut.down = false
    const other = await login(open.core)
    cut.down = true
    await expect(open.core.verify(other.accessToken, { blacklisting: 'strict' }))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

test('a token of another issuer or another audience is rejected', async () => {
  const store = createMemoryStore()
  const clock = createTestClock()
  const one = createTestCore({ store, clock, audience: 'one' })
  const two = createTestCore({ store, clock, audience: 'two' })
  const three = createTestCore({ store, clock, issuer: 'https://three.example/auth' })
  const { accessToken } = await login(one.core)
  expect((await one.core.verify(accessToken)).kind).toBe('active')
  for (const { core } of [two, three]) expect((await core.verify(accessToken)).kind).toBe('refresh-required')
  clock.advance(HOUR)
  expect((await one.core.refresh((await login(one.core)).refreshToken, 'header', owner)).kind).toBe('refreshed')
})
