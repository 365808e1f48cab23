import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleRefreshKey } from '../../test/support/key-ring.ts'
import { encodeBase64url } from '../base/base64url.ts'
import { createHandle, parseHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { webCrypto } from '../platform/web-crypto.ts'
import { createRefreshKey, hashAnchor, hashSecret, parseRefreshToken } from './refresh-token.ts'
import type { ApplicationIdentity, RefreshKey, RefreshToken, RefreshTokenParts } from './refresh-token.ts'

const key = await sampleRefreshKey()
const application: ApplicationIdentity = { name: 'default', audience: null }
const counts = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const parts: fc.Arbitrary<RefreshTokenParts> = fc.record({
  handle: fc.tuple(fc.constantFrom('cookie' as const, 'header' as const), bytes(16)).map(([mode, random]) => (
    createHandle(mode, () => random)
  )),
  generation: counts,
  branch: counts,
  anchor: bytes(32).map(encodeBase64url),
  secret: bytes(32).map(encodeBase64url),
})

const example: RefreshTokenParts = {
  handle: createHandle('cookie', nodeCrypto.randomBytes),
  generation: 7,
  branch: 1,
  anchor: encodeBase64url(nodeCrypto.randomBytes(32)),
  secret: encodeBase64url(nodeCrypto.randomBytes(32)),
}

describe('the format', () => {
  test('a token that was written is parsed again, and its tag is valid', async () => {
    await fc.assert(fc.asyncProperty(parts, async written => {
      const text = await key.write(written)
      const token = parsed(text)
      expect(token).toMatchObject({ ...written, kid: key.kid })
      expect(text).toBe(`${token.signed}.${token.tag}`)
      expect(text.length).toBeLessThan(300)
      expect(await key.hasValidTag(token)).toBe(true)
    }))
  })

  test('a token with any character changed is malformed, or its tag is invalid', async () => {
    const text = await key.write(example)
    for (let index = 0; index < text.length; index++) {
      for (const other of ['A', 'B', '1', '.', '-', ' ', 'é', '']) {
        if (other === text[index]) continue
        const token = parseRefreshToken(text.slice(0, index) + other + text.slice(index + 1))
        expect(token !== null && await key.hasValidTag(token)).toBe(false)
      }
    }
  })

  test('numbers must be canonical', async () => {
    const text = await key.write(example)
    const wrong = ['07', '+7', '-7', '7.0', '7e0', '0x7', ' 7', '7 ', '', '٧', '2147483648', '9'.repeat(11)]
    for (const spelling of wrong) {
      expect(parseRefreshToken(text.replace('.7.1.', `.${spelling}.1.`)), `generation ${spelling}`).toBeNull()
      expect(parseRefreshToken(text.replace('.7.1.', `.7.${spelling}.`)), `branch ${spelling}`).toBeNull()
    }
    expect(parseRefreshToken(text.replace('.7.1.', '.2147483647.2147483647.')))
      .toMatchObject({ generation: 2147483647, branch: 2147483647 })
  })

  test('every field of bytes is canonical base64url, in its place', async () => {
    const fields = (await key.write(example)).split('.')
    for (const index of [1, 2, 5, 6, 7]) {
      const field = fields[index] ?? ''
      // The 16 characters of a key's id are whole bytes, so that any may be the last.
      const notCanonical = index === 1 ? [] : [`${field.slice(0, -1)}B`]
      for (const other of [`!${field.slice(1)}`, `${field}A`, field.slice(1), ...notCanonical]) {
        expect(parseRefreshToken(fields.with(index, other).join('.')), `field ${index}: ${other}`).toBeNull()
      }
    }
    for (let index = 0; index < fields.length - 1; index++) {
      const text = fields.slice(0, index + 1).join('.') + '-' + fields.slice(index + 1).join('.')
      expect(parseRefreshToken(text), `no dot after field ${index}`).toBeNull()
    }
    // The lengths at which the places of the fields fit although the dot of a number is missing.
    const start = `kt1.${'A'.repeat(16)}.${fields[2]}.`
    for (const text of [`${start}${'1'.repeat(90)}`, `${start}1.${'1'.repeat(84)}`]) {
      expect(parseRefreshToken(text), `${text.length} characters`).toBeNull()
    }
  })

  test('DOS-01: rejects strings that are too long', () => {
    for (const text of ['x'.repeat(1e6), '.'.repeat(1e6), `kt1-${'.'.repeat(253)}`, `kt1-${'A'.repeat(253)}`]) {
      expect(parseRefreshToken(text)).toBeNull()
    }
  })

  test('never throws: 10,000 random strings, and 10,000 tokens with changes', async () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      expect(parseRefreshToken(text)).toBeNull()
    }), { numRuns: 10_000 })
    const text = await key.write(example)
    fc.assert(fc.property(
      fc.nat(text.length), fc.nat(4), fc.string({ unit: 'binary', maxLength: 4 }),
      (from, removed, inserted) => {
        const token = parseRefreshToken(text.slice(0, from) + inserted + text.slice(from + removed))
        if (token !== null) expect(`${token.signed}.${token.tag}`.length).toBeLessThanOrEqual(256)
      },
    ), { numRuns: 10_000 })
  })
})

describe('the key', () => {
  test('accepts its own tokens only', async () => {
    const other = await sampleRefreshKey()
    const namesake = await sampleRefreshKey({ kid: key.kid })
    const token = parsed(await key.write(example))
    expect(await other.hasValidTag(token)).toBe(false)
    expect(await namesake.hasValidTag(token)).toBe(false)
    expect(await key.hasValidTag({ ...token, kid: other.kid })).toBe(false)
  })

  test('derives a child secret from every part of its place, and the same one each time', async () => {
    const { handle, generation, branch, secret } = example
    const child = await key.childSecret(handle, generation, branch, secret)
    expect(child).toHaveLength(43)
    expect(await key.childSecret(handle, generation, branch, secret)).toBe(child)
    const other = await sampleRefreshKey()
    const others = await Promise.all([
      key.childSecret(createHandle('cookie', nodeCrypto.randomBytes), generation, branch, secret),
      key.childSecret(handle, generation + 1, branch, secret),
      key.childSecret(handle, generation, branch + 1, secret),
      key.childSecret(handle, 71, 1, secret),
      key.childSecret(handle, 7, 11, secret),
      key.childSecret(handle, generation, branch, child),
      other.childSecret(handle, generation, branch, secret),
    ])
    expect(new Set([child, secret, ...others]).size).toBe(others.length + 2)
  })

  test('derives and writes the same bytes on every platform', async () => {
    const bytes = nodeCrypto.randomBytes(32)
    const [onNode, onWeb] = await Promise.all([nodeCrypto, webCrypto].map(crypto => (
      createRefreshKey(crypto, { kid: key.kid, activeFrom: 0, bytes }, application)
    )))
    if (onNode === undefined || onWeb === undefined) throw new Error('no keys')
    const text = await onWeb.write(example)
    expect(text).toBe(await onNode.write(example))
    expect(onNode.hasValidTag(parsed(text))).toBe(true)
    expect(await onWeb.hasValidTag(parsed(text))).toBe(true)
    const { handle, secret } = example
    expect(await onWeb.childSecret(handle, 8, 0, secret)).toBe(await onNode.childSecret(handle, 8, 0, secret))
    expect(await hashSecret(webCrypto, secret)).toBe(await hashSecret(nodeCrypto, secret))
  })

  // Stores keep the hashes, clients the tokens: another version of the library must find and write the same ones.
  test('derives and writes the bytes that other versions expect', async () => {
    const pinned = await createRefreshKey(
      nodeCrypto,
      { kid: 'AAECAwQFBgcICQoL', activeFrom: 5, bytes: Uint8Array.from({ length: 32 }, (_, index) => index) },
      application,
    )
    const handle = parseHandle(`c${'A'.repeat(22)}`)
    const secret = 'A'.repeat(43)
    if (handle === null) throw new Error('not a handle')
    expect(pinned).toMatchObject({ purpose: 'refresh', kid: 'AAECAwQFBgcICQoL', activeFrom: 5 })
    expect(await pinned.write({ handle, generation: 7, branch: 1, anchor: secret, secret })).toBe(
      `kt1.AAECAwQFBgcICQoL.${handle}.7.1.${secret}.${secret}.5lV9WV4khsMeUSbTlwKpN9ZJuYzPUXbsG2AYUIrIhRc`,
    )
    expect({
      child: await pinned.childSecret(handle, 8, 0, secret),
      importedAnchor: await pinned.importedSecret('anchor', handle, 'a.b'),
      importedSecret: await pinned.importedSecret('secret', handle, 'a.b'),
      antiCsrf: await pinned.antiCsrfMac('x'),
      secretHash: await hashSecret(nodeCrypto, secret),
      anchorHash: await hashAnchor(nodeCrypto, secret),
    }).toEqual({
      child: 'vWouqWit1ygUTACq0FVthnIQpuyZ1XEEMWzRI_JeP2c',
      importedAnchor: '0HMybOMTx4NGseBIWMyDTbzJf6cNIkS2_V-eQN7i1Cs',
      importedSecret: 'cpS9Rp9OrdKSwdb6HyMhTPT_sueVxUeYI8KaCRByzQc',
      antiCsrf: 'txFPj0S1ZoN0kYO_M-iHxGqLRvzYAaerrZL0gY_lOC0',
      secretHash: 'AnHUadN7SV-xIzjjWAaP7DZBtxWdb0x4h55aMCNvHPU',
      anchorHash: 'bZfIHsAe-d9P_Jatd3Kw3p89qALVtrgu8nLHUC_DfSE',
    })
  })

  test('is not created if the MAC function of the platform does not return base64url', async () => {
    const hexadecimal = { ...nodeCrypto, mac: () => (): string => 'not base64url' }
    const bytes = nodeCrypto.randomBytes(32)
    await expect(createRefreshKey(hexadecimal, { kid: key.kid, activeFrom: 0, bytes }, application))
      .rejects.toThrow('the MAC function of this platform must return base64url')
  })

  test('TOK-07: uses separate subkeys for tags, child secrets and anti-CSRF tokens', async () => {
    const token = parsed(await key.write(example))
    const { handle, generation, branch, secret } = example
    const message = `${handle}.${generation}.${branch}.${secret}`
    expect(await key.antiCsrfMac(token.signed)).not.toBe(token.tag)
    expect(await key.antiCsrfMac(message)).not.toBe(await key.childSecret(handle, generation, branch, secret))
  })

  test('S-03: a token is not valid for an application of another name or audience', async () => {
    const bytes = nodeCrypto.randomBytes(32)
    const keyOf = (name: string, audience: string | null): Promise<RefreshKey> => (
      createRefreshKey(nodeCrypto, { kid: key.kid, activeFrom: 0, bytes }, { name, audience })
    )
    const token = parsed(await (await keyOf('shop', 'api')).write(example))
    expect(await (await keyOf('shop', 'api')).hasValidTag(token)).toBe(true)
    for (const [name, audience] of [['Shop', 'api'], ['shop', 'API'], ['shop', null], ['shop","api', null]] as const) {
      expect(await (await keyOf(name, audience)).hasValidTag(token), `${name}, ${audience}`).toBe(false)
    }
  })

  test('TOK-22: is rejected if it is weak', async () => {
    for (const bytes of [new Uint8Array(32), new Uint8Array(31).fill(1), new Uint8Array()]) {
      await expect(createRefreshKey(nodeCrypto, { kid: key.kid, activeFrom: 0, bytes }, application))
        .rejects.toMatchObject({ code: 'MISUSE' })
    }
  })
})

test('ST-01: the hash of a secret has a label, so it differs from the plain hash', async () => {
  expect(await hashSecret(nodeCrypto, example.secret)).toHaveLength(43)
  expect(await hashSecret(nodeCrypto, example.secret)).not.toBe(nodeCrypto.sha256(example.secret))
  expect(await hashAnchor(nodeCrypto, example.secret)).not.toBe(await hashSecret(nodeCrypto, example.secret))
})

function parsed(text: string): RefreshToken {
  const token = parseRefreshToken(text)
  if (token === null) throw new Error('not a refresh token')
  return token
}

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length })
}
