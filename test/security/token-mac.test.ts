import { describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { webCrypto } from '../../src/platform/web-crypto.ts'
import type { Crypto } from '../../src/tokens/crypto.ts'
import { countSignatures } from '../support/counted-signatures.ts'
import { createTestCore, DAY, HOUR, login } from '../support/test-core.ts'
import type { Core, Issued, TestCore } from '../support/test-core.ts'

// The MAC of an access token (docs/decisions/0019-token-mac.md): where it is right, it stands for the signature and for
// nothing else; where it is not, the signature decides.

type Overrides = Parameters<typeof createTestCore>[0]

/** A process that shares a store with others, and counts the signatures that it verifies. */
interface Process extends TestCore {
  /** Verifies a token whose request contains these MACs. Returns the outcome, and how many signatures that took. */
  judge(token: string, ...macs: readonly (string | null)[]): Promise<[outcome: string, signatures: number]>
}

function startProcess(store: SessionStore, crypto: Crypto, overrides: Overrides = {}): Process {
  const signatures = countSignatures(crypto)
  const parts = createTestCore({ store, crypto: signatures.crypto, algorithm: 'ES256', ...overrides })
  return {
    ...parts,
    async judge(token, ...macs) {
      const before = signatures.count
      const { kind } = await parts.core.verify(token, {}, () => macs.filter(mac => mac !== null))
      return [kind, signatures.count - before]
    },
  }
}

const loginByCookie = (core: Core, userId?: string): Promise<Issued> => login(core, userId, { mode: 'cookie' })

/** The string with another character of base64url in one place. */
function changedAt(text: string, place: number): string {
  return `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`
}

describe.each([['node:crypto', nodeCrypto], ['WebCrypto', webCrypto]])('with %s', (_, crypto) => {
  const signed = ['ES256', 'EdDSA', 'RS256'] as const
  test.each(signed)('TOK-25: a right MAC replaces the check of an %s signature', async algorithm => {
    const store = createMemoryStore()
    const { core } = startProcess(store, crypto, { algorithm })
    const { accessToken, mac } = await loginByCookie(core)
    expect(mac).toMatch(/^[\w-]{22}$/)
    const other = startProcess(store, crypto, { algorithm })
    expect(await other.judge(accessToken, mac)).toEqual(['active', 0])
    expect(await other.judge(accessToken), 'from the cache').toEqual(['active', 0])
    const { core: third } = startProcess(store, crypto, { algorithm })
    if (crypto.isSynchronous === true) {
      expect(await third.verify(accessToken)).toMatchObject({ kind: 'active' })
      expect(third.verifyNow(accessToken, {}, () => [mac ?? ''])).toMatchObject({ kind: 'active' })
    }
  })

  test('TOK-25: a token that was changed in any place is refused, from a warm and a cold cache', async () => {
    const store = createMemoryStore()
    const { accessToken, mac } = await loginByCookie(startProcess(store, crypto).core)
    const [cold, warm] = [startProcess(store, crypto, { tokenCacheSize: 0 }), startProcess(store, crypto)]
    expect(await warm.judge(accessToken, mac)).toEqual(['active', 0])
    for (const { judge } of [cold, warm]) {
      for (let place = 0; place < accessToken.length; place++) {
        const [outcome] = await judge(changedAt(accessToken, place), mac)
        expect(outcome, `character ${place}`).not.toBe('active')
      }
      for (const text of [`${accessToken}A`, accessToken.slice(0, -1), `${accessToken}.`, ` ${accessToken}`]) {
        expect((await judge(text, mac))[0]).not.toBe('active')
      }
    }
  })

  test('TOK-25: a MAC that was changed in any place is of no use: the signature decides', async () => {
    const store = createMemoryStore()
    const { accessToken, mac } = await loginByCookie(startProcess(store, crypto).core)
    const cold = startProcess(store, crypto, { tokenCacheSize: 0 })
    for (let place = 0; place < 22; place++) {
      expect(await cold.judge(accessToken, changedAt(mac ?? '', place))).toEqual(['active', 1])
    }
    for (const text of ['', mac?.slice(0, -1), `${mac}A`, `${mac}=`, mac?.toUpperCase(), null]) {
      expect(await cold.judge(accessToken, text ?? null)).toEqual(['active', 1])
    }
    expect(await cold.judge(accessToken, 'tossed', mac), 'several cookies of the name').toEqual(['active', 0])
  })

  test('TOK-25: the MAC of another session, key or application is of no use', async () => {
    const store = createMemoryStore()
    const one = startProcess(store, crypto, { tokenCacheSize: 0 })
    const [ours, other] = [await loginByCookie(one.core), await loginByCookie(one.core, 'bob')]
    expect(await one.judge(ours.accessToken, other.mac)).toEqual(['active', 1])

    const elsewhere = await loginByCookie(startProcess(createMemoryStore(), crypto).core)
    expect(await one.judge(ours.accessToken, elsewhere.mac)).toEqual(['active', 1])
    expect((await one.judge(elsewhere.accessToken, elsewhere.mac))[0]).toBe('refresh-required')

    const shop = startProcess(store, crypto, { application: 'shop', tokenCacheSize: 0 })
    const theirs = await loginByCookie(shop.core)
    expect(await shop.judge(theirs.accessToken, ours.mac)).toEqual(['active', 1])
    expect(await one.judge(theirs.accessToken, theirs.mac), 'authentic, but of another application')
      .toEqual(['refresh-required', 0])
  })

  test('TOK-25: a right MAC stands for the signature and for nothing else', async () => {
    const store = createMemoryStore()
    const { core, clock } = startProcess(store, crypto, { audience: 'a' })
    const [issued, revoked] = [await loginByCookie(core), await loginByCookie(core)]
    await core.revokeSession(revoked.claims.sid)
    const same = { audience: 'a', clock }
    expect(await startProcess(store, crypto, same).judge(issued.accessToken, issued.mac)).toEqual(['active', 0])
    expect(await startProcess(store, crypto, same).judge(revoked.accessToken, revoked.mac)).toEqual(['revoked', 0])
    for (const different of [{ audience: 'b' }, { issuer: 'https://other.example/auth' }]) {
      expect(await startProcess(store, crypto, { ...same, ...different }).judge(issued.accessToken, issued.mac))
        .toEqual(['refresh-required', 0])
    }
    clock.advance(HOUR)
    expect(await startProcess(store, crypto, same).judge(issued.accessToken, issued.mac))
      .toEqual(['refresh-required', 0])
  })

  test('TOK-25: rotates with its signing key', async () => {
    const store = createMemoryStore()
    const { core, clock } = startProcess(store, crypto)
    const old = await loginByCookie(core)
    await core.rotateKeys()
    clock.advance(HOUR / 2)
    const between = startProcess(store, crypto, { clock })
    expect(await between.judge(old.accessToken, old.mac)).toEqual(['active', 0])
    clock.advance(HOUR)
    const next = await loginByCookie(core)
    expect(next.mac).not.toBeNull()
    expect(await startProcess(store, crypto, { clock }).judge(next.accessToken, next.mac)).toEqual(['active', 0])
    expect(await startProcess(store, crypto, { clock }).judge(next.accessToken, old.mac)).toEqual(['active', 1])
    clock.advance(30 * DAY)
    await core.rotateKeys()
    const last = await loginByCookie(core)
    const process = startProcess(store, crypto, { clock, accessTokenLifetime: '1d' })
    expect(await process.judge(last.accessToken, last.mac)).toEqual(['active', 0])
    await core.revokeEverySession()
    expect((await startProcess(store, crypto, { clock }).judge(last.accessToken, last.mac))[0], 'its key was removed')
      .toBe('refresh-required')
  })

  test('TOK-25: there is none with HS256, and a change of the algorithm loses no session', async () => {
    const store = createMemoryStore()
    const { core, clock } = startProcess(store, crypto, { algorithm: 'ES256' })
    const signed = await loginByCookie(core)
    const hmac = startProcess(store, crypto, { algorithm: 'HS256', clock })
    expect(await hmac.judge(signed.accessToken, signed.mac)).toEqual(['active', 0])
    await hmac.core.ready()
    clock.advance(2 * HOUR)
    const plain = await loginByCookie(hmac.core)
    expect(plain.mac).toBeNull()
    const back = startProcess(store, crypto, { algorithm: 'ES256', clock })
    expect(await back.judge(plain.accessToken, signed.mac), 'a cookie of before').toEqual(['active', 1])
    await back.core.ready()
    clock.advance(2 * HOUR)
    const again = await loginByCookie(back.core)
    expect(await startProcess(store, crypto, { clock }).judge(again.accessToken, again.mac)).toEqual(['active', 0])
  })

  test('TOK-25: without a MAC key in the store, the signature decides, and no MAC is issued', async () => {
    const store = createMemoryStore()
    const issued = await loginByCookie(startProcess(store, crypto).core)
    for (const { kid, purpose, material } of await store.listKeys()) {
      const { macKey, ...pair } = JSON.parse(material) as Record<string, unknown>
      expect(typeof macKey, 'of the signing key only').toBe(purpose === 'access' ? 'string' : 'undefined')
      await store.replaceKeyMaterial(kid, material, JSON.stringify(pair))
    }
    const process = startProcess(store, crypto)
    expect(await process.judge(issued.accessToken, issued.mac)).toEqual(['active', 1])
    expect((await loginByCookie(process.core)).mac).toBeNull()
  })

  test('TOK-25: a malformed MAC key makes the key unusable', async () => {
    for (const macKey of [7, '*', 'AAAA', Buffer.alloc(32).toString('base64url')]) {
      const store = createMemoryStore()
      await startProcess(store, crypto).core.ready()
      for (const { kid, purpose, material } of await store.listKeys()) {
        if (purpose !== 'access') continue
        await store.replaceKeyMaterial(kid, material, JSON.stringify({ ...JSON.parse(material) as object, macKey }))
      }
      await expect(startProcess(store, crypto).core.ready()).rejects.toMatchObject({ code: 'MISUSE' })
    }
  })

  test('TOK-25: the key is in no key set, and sessions in header mode have no MAC', async () => {
    const store = createMemoryStore()
    const { core } = startProcess(store, crypto)
    expect((await login(core)).mac).toBeNull()
    const [key = {}] = (await core.getJwks()).keys
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })
})
