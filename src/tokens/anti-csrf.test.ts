import { expect, test } from 'vitest'
import { sampleRefreshKey, sampleRing } from '../../test/support/key-ring.ts'
import { createHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { createAntiCsrfToken, isAntiCsrfToken } from './anti-csrf.ts'

const key = await sampleRefreshKey()
const ring = await sampleRing([], [key])
const mine = createHandle('cookie', nodeCrypto.randomBytes)
const other = createHandle('cookie', nodeCrypto.randomBytes)

test('CSRF-06: a token is valid for its own session and with its own key only', async () => {
  const token = await createAntiCsrfToken(key, mine, nodeCrypto.randomBytes)
  expect(await isAntiCsrfToken(ring, mine, token)).toBe(true)
  expect(await isAntiCsrfToken(ring, other, token)).toBe(false)
  expect(await isAntiCsrfToken(await sampleRing(), mine, token)).toBe(false)
  const namesake = await sampleRing([], [await sampleRefreshKey({ kid: key.kid })])
  expect(await isAntiCsrfToken(namesake, mine, token)).toBe(false)
})

test('CSRF-06: two tokens of a session differ, and a changed token is invalid', async () => {
  const token = await createAntiCsrfToken(key, mine, nodeCrypto.randomBytes)
  expect(await createAntiCsrfToken(key, mine, nodeCrypto.randomBytes)).not.toBe(token)
  for (let index = 0; index < token.length; index++) {
    const changed = token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1)
    expect(await isAntiCsrfToken(ring, mine, changed)).toBe(false)
  }
})

test('CSRF-07: rejects empty and malformed tokens', async () => {
  const dots = `${key.kid}.${'A'.repeat(22)}.${'A'.repeat(43)}`
  const nothing = ['', ' ', '0', 'null', 'undefined', '[object Object]', '..', dots, 'x'.repeat(83), 'x'.repeat(1e6)]
  for (const text of nothing) {
    expect(await isAntiCsrfToken(ring, mine, text)).toBe(false)
  }
})

test('CSRF-07: rejects a token that is too long or too short, and a nonce that is not base64url, whatever its MAC', async () => {
  const token = await createAntiCsrfToken(key, mine, nodeCrypto.randomBytes)
  for (const text of [`${token}A`, token.slice(0, -1), `${token}.`, ` ${token}`, token.slice(1)]) {
    expect(await isAntiCsrfToken(ring, mine, text), text).toBe(false)
  }
  for (const nonce of ['!'.repeat(22), `${'A'.repeat(21)}B`]) {
    const mac = await key.antiCsrfMac(`${mine.length}:${mine}${nonce.length}:${nonce}`)
    expect(await isAntiCsrfToken(ring, mine, `${key.kid}.${nonce}.${mac}`), nonce).toBe(false)
  }
})
