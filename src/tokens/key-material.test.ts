import { expect, test } from 'vitest'
import { newKid } from '../../test/support/key-ring.ts'
import { SharedKeys } from '../../test/support/shared-keys.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { createKeyLoader } from './key-material.ts'
import { present } from '../../test/support/present.ts'

const secret = 'the secret of the application, old'
const newSecret = 'the secret of the application, new'

test('ST-02: with a secret no key is stored unencrypted', async () => {
  const shared = new SharedKeys()
  await shared.process({ secrets: [secret] }).current()
  for (const { material } of await shared.keys()) {
    expect(material).toMatch(/^s1\./)
    expect(material).not.toMatch(/kty|"d"|"k"/)
  }
})

test('ST-02: encrypted material of one key does not load as another', async () => {
  const shared = new SharedKeys()
  await shared.process({ secrets: [secret] }).current()
  const [one, two] = await shared.keys()
  await shared.store.replaceKeyMaterial(present(one).kid, present(one).material, present(two).material)
  await expect((async () => shared.process({ secrets: [secret] }).current())())
    .rejects.toMatchObject({ code: 'MISUSE' })
})

test('ST-02: keys of an older secret are encrypted with the newest one and stay the same keys', async () => {
  const shared = new SharedKeys()
  const first = await shared.process({ secrets: [secret] }).current()
  const underOld = await shared.keys()
  const renewed = await shared.process({ secrets: [newSecret, secret] }).current()
  const underNew = await shared.keys()
  expect(underNew.map(key => key.material)).not.toEqual(underOld.map(key => key.material))
  const only = await shared.process({ secrets: [newSecret] }).current()
  const kids = [first, renewed, only].map(ring => ring.signingKeyAt('access', shared.now).kid)
  expect(new Set(kids).size).toBe(1)
  expect(shared.made).toHaveLength(2)
  expect(shared.errors).toEqual([])
})

test('ST-02: a key that no secret decrypts is an error that names the key, and no new key is created', async () => {
  const shared = new SharedKeys()
  await shared.process({ secrets: [secret] }).current()
  const before = await shared.keys()
  for (const secrets of [[newSecret], []]) {
    const using = (async () => shared.process({ secrets }).current())()
    const failure: unknown = await using.catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'MISUSE' })
    expect(before.some(key => String(failure).includes(key.kid))).toBe(true)
    expect(String(failure)).not.toContain(secret)
  }
  expect(await shared.keys()).toEqual(before)
})

test('TOK-22: a short secret is rejected at once', () => {
  for (const secrets of [[''], ['x'.repeat(31)], [secret, 'short']]) {
    expect(() => new SharedKeys().process({ secrets })).toThrow(expect.objectContaining({ code: 'MISUSE' }))
  }
})

test('a malformed key in the store is an error', async () => {
  for (const [purpose, algorithm, material] of [
    ['access', 'ES256', '{}'], ['access', 'ES256', '{"privateKey":[],"publicKey":{}}'],
    ['access', 'HMAC-SHA-256', '{"k":"AA"}'],
    ['refresh', 'HMAC-SHA-256', '{"k":"AA"}'], ['refresh', 'ES256', '{}'], ['refresh', 'HMAC-SHA-256', 'x'],
  ] as const) {
    const shared = new SharedKeys()
    const { now } = shared
    const key = { kid: newKid(), purpose, algorithm, createdAt: now, activeFrom: now, material }
    await shared.store.addKeyIfNewest(key, null)
    await expect((async () => shared.process().current())()).rejects.toMatchObject({ code: 'MISUSE' })
  }
})

test('the id of a key begins with a letter: a command line would read a hyphen as an option', async () => {
  const now = 0
  for (const byte of [0x00, 0xfb, 0xff]) {
    const loader = await createKeyLoader(
      { ...nodeCrypto, randomBytes: length => new Uint8Array(length).fill(byte) },
      [],
    )
    const { kid } = await loader.create({ purpose: 'refresh', algorithm: 'HMAC-SHA-256' }, now, now)
    expect(kid).toMatch(/^[A-Za-z][\w-]{15}$/)
  }
})
