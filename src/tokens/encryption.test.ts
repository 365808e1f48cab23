import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newKid } from '../../test/support/key-ring.ts'
import { sampleKeyPolicy, SharedKeys } from '../../test/support/shared-keys.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { encryptKeys } from './change-keys.ts'
import { findEncryptionFault, isEncrypted, planEncryption } from './encryption.ts'
import { createKeyRingProvider } from './key-ring-provider.ts'
import type { KeyRingProvider } from './key-ring-provider.ts'
import { createKeyLoader } from './key-material.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { createKeyPolicy } from './plan-rotation.ts'

const DAY = 86_400_000
const until = Number.MAX_SAFE_INTEGER
const secret = 'the secret of the application, old'
const otherSecret = 'the secret of somebody else, or new'

const key = (kid: string, material: string): StoredKey => (
  { kid, purpose: 'access', algorithm: 'ES256', createdAt: 1, activeFrom: 1, material }
)
const clear = key('clear', '{"kty":"oct"}')
const encrypted = key('encrypted', 's1.name.bytes')

describe('the rules', () => {
  test.each([
    [[], false, null], [[], true, null],
    [[clear], false, null], [[encrypted], true, null],
    [[encrypted], false, { kind: 'secret-missing', kids: ['encrypted'] }],
    [[clear, encrypted], false, { kind: 'secret-missing', kids: ['encrypted'] }],
    [[clear], true, { kind: 'unencrypted', kids: ['clear'] }],
    [[clear, encrypted], true, { kind: 'mixed', kids: ['clear'] }],
  ])('S-04: with the keys %j and a secret: %s, the fault is %j', (keys, hasSecret, fault) => {
    expect(findEncryptionFault(keys, hasSecret)).toEqual(fault)
  })

  test.each([
    [[], false, { kind: 'no-keys' }],
    [[encrypted], false, { kind: 'already-encrypted' }], [[encrypted], true, { kind: 'already-encrypted' }],
    [[clear], false, { kind: 'encrypt', keys: [clear] }], [[clear], true, { kind: 'encrypt', keys: [clear] }],
    [[clear, encrypted], false, { kind: 'mixed', keys: [clear] }],
    [[clear, encrypted], true, { kind: 'encrypt', keys: [clear] }],
  ])('S-04: for the keys %j, with --finish: %s, the plan is %j', (keys, finish, plan) => {
    expect(planEncryption(keys, finish)).toEqual(plan)
  })
})

/** Adds a key as an attacker with write access to the store would. */
async function plant(shared: SharedKeys, purpose: StoredKey['purpose']): Promise<StoredKey> {
  const loader = await createKeyLoader(nodeCrypto, [])
  const planted = await loader.create({ purpose, algorithm: 'ES256' }, shared.now, shared.now)
  const newest = (await shared.keys()).findLast(each => each.purpose === purpose)?.kid ?? null
  expect(await shared.store.addKeyIfNewest(planted, newest)).toBe(true)
  return planted
}

/** The error that a call throws. */
async function refusal(call: () => unknown): Promise<Error> {
  const failure: unknown = await Promise.resolve().then(call).then(() => null, (error: unknown) => error)
  expect(failure).toMatchObject({ code: 'MISUSE' })
  return failure instanceof Error ? failure : new Error('none')
}

describe('a process without the secret', () => {
  test('S-04: fails before it adds a key: when it starts, when keys are due, when rotation is requested', async () => {
    const shared = new SharedKeys()
    await shared.process({ secrets: [secret] }).current()
    const before = await shared.keys()
    // Each of these needs a key that does not exist yet.
    shared.now += 100 * DAY
    const provider = shared.process({ keyRequests: [{ purpose: 'access', algorithm: 'EdDSA' }] })
    for (const call of [() => provider.current(), () => provider.rotateNow(), () => provider.replaceAll(until)]) {
      const { message } = await refusal(call)
      expect(message).toMatch(/no secret is configured. Set `secret`/)
      for (const { kid } of before) expect(message).toContain(kid)
    }
    expect(await shared.keys()).toEqual(before)
  })

  test('S-04: fails also if there are no keys of its purposes', async () => {
    const shared = new SharedKeys()
    await shared.process({ secrets: [secret] }).current()
    for (const { kid, purpose } of await shared.keys()) {
      if (purpose === 'access') await shared.store.removeKey(kid, until)
    }
    await refusal(() => shared.process().current())
    expect((await shared.keys()).every(isEncrypted)).toBe(true)
    expect(await shared.keys()).toHaveLength(1)
  })

  test('S-04: a process with a wrong secret adds nothing either', async () => {
    const shared = new SharedKeys()
    await shared.process({ secrets: [secret] }).current()
    const before = await shared.keys()
    shared.now += 100 * DAY
    const provider = shared.process({
      secrets: [otherSecret], keyRequests: [{ purpose: 'access', algorithm: 'EdDSA' }],
    })
    for (const call of [() => provider.current(), () => provider.rotateNow()]) {
      expect((await refusal(call)).message).toContain('no configured secret decrypts the key')
    }
    expect(await shared.keys()).toEqual(before)
  })

  test('S-04: if no process has a secret, keys are stored unencrypted and stay unencrypted', async () => {
    const shared = new SharedKeys()
    const ring = await shared.process().current()
    await shared.process().rotateNow()
    expect(await shared.keys()).toHaveLength(4)
    expect((await shared.keys()).some(isEncrypted)).toBe(false)
    expect((await shared.process().current()).signingKeyAt('access', shared.now).kid)
      .toBe(ring.signingKeyAt('access', shared.now).kid)
  })
})

describe('a process with a secret', () => {
  test('S-04: rejects unencrypted keys, names the command to run, and encrypts nothing by itself', async () => {
    const shared = new SharedKeys()
    await shared.process().current()
    const before = await shared.keys()
    const provider = shared.process({ secrets: [secret] })
    for (const call of [() => provider.current(), () => provider.rotateNow()]) {
      const { message } = await refusal(call)
      expect(message).toContain('Run `keyturn keys encrypt <url>`')
      for (const { kid } of before) expect(message).toContain(kid)
    }
    expect(await shared.keys()).toEqual(before)
  })

  test.each([
    'access', 'core-dynamic',
  ] as const)('S-04: rejects an unencrypted %s key beside encrypted ones', async purpose => {
    const shared = new SharedKeys()
    await shared.process({ secrets: [secret] }).current()
    const planted = await plant(shared, purpose)
    const { message } = await refusal(() => shared.process({ secrets: [secret] }).current())
    expect(message).toContain(planted.kid)
    expect(message).toContain('keyturn keys retire')
    expect((await shared.keys()).find(({ kid }) => kid === planted.kid)).toEqual(planted)
  })

  test('S-04: that is running never uses an added unencrypted key, reports it, and still drops removed keys', async () => {
    const shared = new SharedKeys()
    const provider = shared.process({ secrets: [secret] })
    await provider.current()
    await provider.rotateNow()
    const ring = await provider.current()
    const planted = await plant(shared, 'access')
    shared.now += 3_600_000
    await refusal(() => provider.reload())
    const after = await provider.current()
    expect(after.hasAccessKey(planted.kid)).toBe(false)
    expect(after.signingKeyAt('access', shared.now - 1).kid).toBe(ring.signingKeyAt('access', shared.now - 1).kid)
    const removed = ring.signingKeyAt('access', shared.now - 1).kid
    await shared.store.removeKey(removed, until)
    await refusal(() => provider.reload())
    const last = await provider.current()
    expect(last.hasAccessKey(removed)).toBe(false)
    expect(last.epoch).not.toBe(ring.epoch)
    // Without the last of them, no key can be used.
    for (const { kid } of await shared.keys()) if (kid !== planted.kid) await shared.store.removeKey(kid, until)
    await refusal(() => provider.reload())
    await refusal(() => provider.current())
  })

  test('S-04: replaces all keys, encrypted or not; the new ones are encrypted', async () => {
    const shared = new SharedKeys()
    const others = shared.process()
    await others.current()
    const before = await shared.keys()
    await shared.process({ secrets: [secret] }).replaceAll(until)
    const after = await shared.keys()
    expect(after).toHaveLength(2)
    expect(after.every(isEncrypted)).toBe(true)
    expect(after.some(({ kid }) => before.some(old => old.kid === kid))).toBe(false)
    // A process without the secret no longer accepts any key.
    await refusal(() => others.reload())
    await refusal(() => others.current())
  })

  test('S-04: never leaves the store without an encrypted key while it replaces all keys', async () => {
    const shared = new SharedKeys()
    const provider = shared.process({ secrets: [secret] })
    await provider.current()
    const seen: (readonly StoredKey[])[] = []
    const store: KeyStore = {
      ...shared.store,
      async removeKey(kid, keep) {
        const removed = await shared.store.removeKey(kid, keep)
        seen.push(await shared.keys())
        return removed
      },
    }
    await shared.process({ secrets: [secret], store }).replaceAll(until)
    expect(seen).toHaveLength(2)
    for (const keys of seen) expect(keys.some(isEncrypted)).toBe(true)
    // Old refresh keys are removed first: no old refresh token can be exchanged for an access token of a new key.
    expect(seen[0]?.map(({ purpose }) => purpose).sort()).toEqual(['access', 'access', 'refresh'])
  })
})

describe('processes that start together on an empty store', () => {
  /** A process: of the library, or of the server, whose keys have other purposes. */
  function start(store: KeyStore, purpose: 'access' | 'core-dynamic', secrets: readonly string[]): KeyRingProvider {
    return createKeyRingProvider({
      store, secrets,
      keyRequests: [{ purpose, algorithm: 'ES256' }],
      application: { name: 'default', audience: null },
      crypto: nodeCrypto,
      clock: () => 1_800_000_000_000,
      random: () => 0,
      learnTime: async () => undefined,
      keyPolicy: createKeyPolicy(sampleKeyPolicy),
      onRotated: () => undefined,
      onSessionsEnded: () => undefined,
      onError: error => expect.unreachable(String(error)),
    })
  }

  const processes = fc.array(fc.record({
    purpose: fc.constantFrom('access', 'core-dynamic'),
    secrets: fc.constantFrom([], [secret], [otherSecret]),
  }), { minLength: 2, maxLength: 4 })

  test('S-04: with and without the secret: some start, the others report why not, and all keys are stored the same way', async () => {
    await fc.assert(fc.asyncProperty(fc.scheduler(), processes, async (scheduler, started) => {
      const shared = new SharedKeys()
      const store: KeyStore = {
        listKeys: scheduler.scheduleFunction(shared.store.listKeys),
        addKeyIfNewest: scheduler.scheduleFunction(shared.store.addKeyIfNewest),
        replaceKeyMaterial: scheduler.scheduleFunction(shared.store.replaceKeyMaterial),
        removeKey: scheduler.scheduleFunction(shared.store.removeKey),
      }
      const answers = await scheduler.waitFor(Promise.allSettled(started.map(async ({ purpose, secrets }) => (
        start(store, purpose, secrets).current()
      ))))
      const winners = new Set<string>()
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'fulfilled') winners.add(started[index]?.secrets[0] ?? 'none')
        else expect(answer.reason).toMatchObject({ code: 'MISUSE', message: expect.stringMatching(/secret/) })
      }
      expect(winners.size).toBe(1)
      const keys = await shared.keys()
      expect(new Set(keys.map(isEncrypted)).size).toBe(1)
      // One secret decrypts all of them.
      await (await createKeyLoader(nodeCrypto, [...winners].filter(each => each !== 'none'))).accept(keys)
    }), { numRuns: 100 })
  })

  test('S-04: a key that was added unencrypted while another process encrypted the others is removed again', async () => {
    const shared = new SharedKeys()
    const plain = shared.process()
    await plain.current()
    const loader = await createKeyLoader(nodeCrypto, [secret])
    let raced = false
    const store: KeyStore = {
      ...shared.store,
      async addKeyIfNewest(added, newest) {
        if (!raced) await encryptKeys({ store: shared.store, loader }, await shared.keys())
        raced = true
        return shared.store.addKeyIfNewest(added, newest)
      },
    }
    const { message } = await refusal(() => shared.process({ store }).rotateNow())
    expect(message).toContain('no secret is configured')
    expect(await shared.keys()).toHaveLength(2)
    expect((await shared.keys()).every(isEncrypted)).toBe(true)
    await expect((async () => shared.process({ secrets: [secret] }).current())()).resolves.toBeDefined()
  })
})

test('S-04: a malformed key does not count as encrypted', async () => {
  for (const material of ['', ' {"kty":"oct"}', '[]', 's1.', 's1.x.y']) {
    const shared = new SharedKeys()
    const { now } = shared
    await shared.store.addKeyIfNewest({
      kid: newKid(), purpose: 'access', algorithm: 'ES256', createdAt: now, activeFrom: now, material,
    }, null)
    await refusal(() => shared.process().current())
    await refusal(() => shared.process({ secrets: [secret] }).current())
  }
})
