import { describe, expect, test } from 'vitest'
import { readSample, sampleClaims, sampleMembers, sampleInstant, writeSample } from '../../test/support/access-token.ts'
import { SharedKeys } from '../../test/support/shared-keys.ts'
import { createHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { webCrypto } from '../platform/web-crypto.ts'
import { parseRefreshToken } from './refresh-token.ts'
import { present } from '../../test/support/present.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const until = sampleInstant + DAY
const secret = 'a secret of more than 32 characters, for tests'

describe('the first use', () => {
  test('creates a key of each purpose, which is active at once', async () => {
    const shared = new SharedKeys()
    const ring = await shared.process().current()
    expect((await shared.keys()).map(key => key.purpose).sort()).toEqual(['access', 'refresh'])
    expect(ring.signingKeyAt('access', shared.now).activeFrom).toBe(shared.now)
    expect(ring.refreshKeyAt(shared.now).activeFrom).toBe(shared.now)
    expect(shared.made).toHaveLength(2)
    for (const { kid } of shared.made) expect(kid).toMatch(/^[\w-]{16}$/)
  })

  test('TOK-20: of many processes that start together, one creates the keys and all use them', async () => {
    const shared = new SharedKeys()
    const rings = await Promise.all(Array.from({ length: 20 }, () => shared.process().current()))
    expect(await shared.keys()).toHaveLength(2)
    expect(shared.made).toHaveLength(2)
    expect(new Set(rings.map(ring => ring.signingKeyAt('access', shared.now).kid)).size).toBe(1)
    const [writer, reader] = rings
    const token = await writeSample(present(writer).signingKeyAt('access', shared.now), sampleClaims(), '{}')
    expect((await readSample(token, present(reader))).kind).toBe('valid')
  })

  test('reads the store once for all calls of a process, and not again afterwards', async () => {
    const shared = new SharedKeys()
    await shared.process().current()
    shared.reads = 0
    const provider = shared.process()
    const rings = await Promise.all(Array.from({ length: 20 }, () => provider.current()))
    expect(new Set(rings).size).toBe(1)
    expect(provider.cached(shared.now)).toBe(rings[0])
    expect(shared.reads).toBe(1)
  })

  test('TOK-24: fails without the store, and creates no keys in memory', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    shared.down = true
    await expect((async () => provider.current())()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    shared.down = false
    await expect((async () => provider.current())()).resolves.toBeDefined()
  })

  test('works on WebCrypto as well', async () => {
    const shared = new SharedKeys()
    const ring = await shared.process({ crypto: webCrypto, secrets: ['a secret of the application, long'] }).current()
    const token = await writeSample(ring.signingKeyAt('access', shared.now), sampleClaims(), '{}')
    const onNode = await shared.process({ secrets: ['a secret of the application, long'] }).current()
    expect((await readSample(token, onNode)).kind).toBe('valid')
  })
})

describe('the key ring in memory', () => {
  test('is reloaded in the background once a minute, and stays the same object while the keys do', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const ring = await provider.current()
    shared.reads = 0
    shared.now += 59_999
    expect(provider.cached(shared.now)).toBe(ring)
    expect(shared.reads).toBe(0)
    shared.now += 1
    for (let call = 0; call < 10; call++) expect(provider.cached(shared.now)).toBe(ring)
    expect(shared.reads).toBe(1)
    expect(await provider.reload()).toBe(ring)
  })

  test('stays in use while the store is down, and reports it', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const ring = await provider.current()
    shared.down = true
    shared.reads = 0
    shared.now += 5 * MINUTE
    expect(provider.cached(shared.now)).toBe(ring)
    await settled()
    expect(shared.errors).toHaveLength(1)
    // Every few seconds, it tries again; no call waits for it.
    for (let second = 0; second < 60; second++) {
      shared.now += 1000
      expect(provider.cached(shared.now)).toBe(ring)
      await settled()
    }
    expect(shared.reads).toBe(13)
    shared.now += 3 * DAY
    expect(provider.cached(shared.now)).toBe(ring)
    await settled()
    shared.down = false
    await provider.reload()
    expect(await provider.current()).toBe(ring)
  })

  test('TOK-20: is reloaded before use after an idle time in which other processes may have changed keys', async () => {
    const shared = new SharedKeys()
    const idle = shared.process()
    const busy = shared.process()
    const before = await idle.current()
    for (let minutes = 0; minutes < 8 * 24 * 60; minutes += 30) {
      shared.now += 30 * MINUTE
      await busy.reload()
    }
    const after = await idle.current()
    expect(after).not.toBe(before)
    expect(after.signingKeyAt('access', shared.now).kid)
      .toBe((await busy.current()).signingKeyAt('access', shared.now).kid)
  })

  test('TOK-06: a thousand unknown key ids cause one reload per interval', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    await provider.current()
    shared.reads = 0
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 100 }, () => provider.reloadForUnknownKid()))
    }
    expect(shared.reads).toBe(1)
    shared.now += 5000
    await Promise.all(Array.from({ length: 1000 }, () => provider.reloadForUnknownKid()))
    expect(shared.reads).toBe(2)
  })

  test('REV-11: while the store is down, a token of an unknown key is an error, not an invalid token', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    await provider.current()
    shared.down = true
    shared.reads = 0
    for (let call = 0; call < 3; call++) {
      await expect(provider.reloadForUnknownKid()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    expect(shared.reads).toBe(1)
  })

  test('a reload reads the store after it was called, even if another reload is running', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const other = shared.process()
    await provider.current()
    const underWay = provider.reload()
    await other.rotateNow()
    const ring = await provider.reload()
    await underWay
    expect(ring.jwks('access').keys).toHaveLength(2)
  })
})

describe('rotation', () => {
  test('TOK-20: a key is published, then signs, then only verifies, then is removed', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const first = await provider.current()
    const oldKey = first.signingKeyAt('access', shared.now)
    await provider.rotateNow()
    const published = await provider.current()
    expect(published.epoch).not.toBe(first.epoch)
    expect(published.jwks('access').keys).toHaveLength(2)
    expect(published.signingKeyAt('access', shared.now)).toBe(oldKey)
    shared.now += HOUR
    const newKey = (await provider.current()).signingKeyAt('access', shared.now)
    expect(newKey.kid).not.toBe(oldKey.kid)
    const token = await oldKey.sign(JSON.stringify(sampleMembers()))
    expect((await readSample(token, await provider.reload())).kind).toBe('valid')
    shared.now += DAY + 2 * MINUTE
    const last = await provider.reload()
    expect((await readSample(token, last)).kind).toBe('unknown-key')
    expect(last.jwks('access').keys.map(jwk => jwk.kid)).toEqual([newKey.kid])
    expect((await shared.keys()).map(key => key.kid)).not.toContain(oldKey.kid)
  })

  test('TOK-20: tokens of a removed key are rejected at once', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const before = await provider.current()
    const token = await before.signingKeyAt('access', shared.now).sign(JSON.stringify(sampleMembers()))
    await shared.store.removeKey(before.signingKeyAt('access', shared.now).kid, until)
    const after = await provider.reload()
    expect(after.epoch).not.toBe(before.epoch)
    expect((await readSample(token, after)).kind).toBe('unknown-key')
  })

  test('REV-03: after all keys are replaced, no earlier token is valid', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const before = await provider.current()
    const accessToken = await before.signingKeyAt('access', shared.now).sign(JSON.stringify(sampleMembers()))
    const refreshToken = parseRefreshToken(await before.refreshKeyAt(shared.now).write({
      handle: createHandle('cookie', nodeCrypto.randomBytes), generation: 0, branch: 0, anchor: 'B'.repeat(43),
      secret: 'A'.repeat(43),
    }))
    await provider.replaceAll(until)
    const after = await provider.current()
    expect((await readSample(accessToken, after)).kind).toBe('unknown-key')
    expect(after.refreshKey(refreshToken?.kid ?? '')).toBeNull()
    expect(await shared.keys()).toHaveLength(2)
    const token = await after.signingKeyAt('access', shared.now).sign(JSON.stringify(sampleMembers()))
    expect((await readSample(token, await shared.process().current())).kind).toBe('valid')
  })

  test('after a change of the algorithm, tokens of the earlier one stay valid', async () => {
    const shared = new SharedKeys()
    const token = await (await shared.process().current()).signingKeyAt('access', shared.now).sign(
      JSON.stringify(sampleMembers()),
    )
    const provider = shared.process({ keyRequests: [{ purpose: 'access', algorithm: 'EdDSA' }] })
    expect((await provider.current()).signingKeyAt('access', shared.now).algorithm).toBe('ES256')
    shared.now += HOUR
    const ring = await provider.current()
    expect(ring.signingKeyAt('access', shared.now).algorithm).toBe('EdDSA')
    expect((await readSample(token, ring)).kind).toBe('valid')
  })

  test('a process that has newer keys answers a retry with the same bytes', async () => {
    const shared = new SharedKeys()
    const early = shared.process()
    const handle = createHandle('cookie', nodeCrypto.randomBytes)
    const ring = await early.current()
    const rotatedAt = shared.now
    const child = { handle, generation: 1, branch: 0, anchor: 'B'.repeat(43), secret: 'A'.repeat(43) }
    const answer = await ring.refreshKeyAt(rotatedAt).write(child)
    const late = shared.process()
    await late.rotateNow()
    shared.now += 2 * HOUR
    const again = await (await late.current()).refreshKeyAt(rotatedAt).write(child)
    expect(again).toBe(answer)
  })
})

describe('static keys', () => {
  const keyRequests = [
    { purpose: 'access', algorithm: 'ES256' }, { purpose: 'core-static', algorithm: 'RS256' },
  ] as const
  const staticKidsOf = async (shared: SharedKeys): Promise<readonly string[]> => (
    (await shared.keys()).filter(({ purpose }) => purpose === 'core-static').map(({ kid }) => kid)
  )

  test('V-03: rotating the keys creates no static key', async () => {
    const shared = new SharedKeys()
    const provider = shared.process({ keyRequests })
    await provider.current()
    const before = await staticKidsOf(shared)
    await provider.rotateNow()
    expect(await staticKidsOf(shared)).toEqual(before)
    expect(shared.made.map(({ purpose }) => purpose)).toEqual(['refresh', 'access', 'core-static', 'refresh', 'access'])
  })

  test('REV-03: stay when all keys are replaced, whichever process does it', async () => {
    for (const own of [keyRequests, [keyRequests[0]]]) {
      const shared = new SharedKeys()
      const provider = shared.process({ keyRequests, secrets: [secret] })
      const before = (await provider.current()).signingKeyAt('core-static', shared.now)
      await shared.process({ keyRequests: own, secrets: [secret] }).replaceAll(until)
      expect(await shared.keys()).toHaveLength(3)
      expect((await provider.reload()).signingKeyAt('core-static', shared.now)).toBe(before)
    }
  })

  test('REV-03: are also replaced if no secret decrypts them, so that the store stays usable', async () => {
    const shared = new SharedKeys()
    await shared.process({ keyRequests, secrets: [secret] }).current()
    const before = await staticKidsOf(shared)
    const provider = shared.process({ keyRequests, secrets: ['another secret of more than 32 characters'] })
    await provider.replaceAll(until)
    expect(await staticKidsOf(shared)).toHaveLength(1)
    expect(await staticKidsOf(shared)).not.toEqual(before)
    await expect(provider.reload()).resolves.toBeDefined()
  })
})

test('with `keepsAlgorithm`, new keys have the algorithm of the keys in the store, not the requested one', async () => {
  const shared = new SharedKeys()
  await shared.process({ keyRequests: [{ purpose: 'access', algorithm: 'EdDSA' }] }).current()
  const keeping = shared.process({ keyRequests: [{ purpose: 'access', algorithm: 'ES256', keepsAlgorithm: true }] })
  await keeping.current()
  shared.now += 2 * HOUR
  await keeping.reload()
  expect(await shared.keys()).toHaveLength(2)
  await keeping.rotateNow()
  expect((await shared.keys()).map(({ algorithm }) => algorithm).filter(each => each !== 'HMAC-SHA-256'))
    .toEqual(['EdDSA', 'EdDSA'])
})

/** Waits for the background work: the memory store answers within a few ticks of the event loop. */
async function settled(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}
