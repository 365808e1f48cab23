import { createHash, createHmac, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import type { Crypto, SignatureAlgorithm } from '../tokens/crypto.ts'
import type { Jwk } from '../tokens/jwk.ts'
import { nodeCrypto } from './node-crypto.ts'
import { webCrypto } from './web-crypto.ts'

const platforms: readonly (readonly [string, Crypto])[] = [['node:crypto', nodeCrypto], ['WebCrypto', webCrypto]]
const algorithms: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256', 'HS256']

/** The payload of the examples in RFC 7515 appendix A. */
const joesPayload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'

/** RFC 7515 appendix A.3. */
const es256Vector = {
  jwk: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    alg: 'ES256',
  },
  input: `eyJhbGciOiJFUzI1NiJ9.${joesPayload}`,
  signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
}

/** RFC 8037 appendix A.4. */
const ed25519Vector = {
  jwk: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    alg: 'EdDSA',
  },
  input: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
  signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
}

/** RFC 7515 appendix A.1. */
const hs256Vector = {
  jwk: {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    alg: 'HS256',
  },
  input: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${joesPayload}`,
  signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
}

describe.each(platforms)('%s', (_, crypto) => {
  test('verifies the test vectors of RFC 7515 and RFC 8037, and reproduces the deterministic ones', async () => {
    for (const [algorithm, { jwk, input, signature }] of [
      ['ES256', es256Vector], ['EdDSA', ed25519Vector], ['HS256', hs256Vector],
    ] as const) {
      const verify = await crypto.verifier(algorithm, jwk)
      expect(await verify(input, signature)).toBe(true)
      expect(await verify(`${input}A`, signature)).toBe(false)
      const own = await (await crypto.signer(algorithm, jwk))(input)
      if (algorithm !== 'ES256') expect(own).toBe(signature)
      expect(await verify(input, own)).toBe(true)
    }
  })

  test('sha256 and mac are the standard functions of UTF-8', async () => {
    const text = 'Zürich \u{1f511}'
    const key = new Uint8Array(32).fill(7)
    expect(await crypto.sha256(text)).toBe(createHash('sha256').update(text).digest('base64url'))
    expect(await crypto.digest(text)).not.toBe(await crypto.digest(`${text} `))
    expect(await (await crypto.mac(key))(text)).toBe(createHmac('sha256', key).update(text).digest('base64url'))
  })

  test('mac is HMAC-SHA-256 for keys and messages of any length', async () => {
    for (const length of [32, 63, 64, 65, 200]) {
      const key = randomBytes(length)
      const mac = await crypto.mac(key)
      for (const message of [
        '', 'x', 'é', 'x'.repeat(64), 'x'.repeat(682), 'x'.repeat(683), '\u{1f511}'.repeat(5000), 'x',
      ]) {
        expect(await mac(message)).toBe(createHmac('sha256', key).update(message).digest('base64url'))
      }
    }
  })

  test('TOK-18: random bytes have the requested length and do not repeat', () => {
    const random = Array.from({ length: 1000 }, () => Buffer.from(crypto.randomBytes(32)).toString('hex'))
    expect(new Set(random).size).toBe(1000)
    expect(random.every(text => text.length === 64)).toBe(true)
  })

  test.each(algorithms)('%s keys have an alg, sign and verify, and work with jose', async algorithm => {
    const { privateKey, publicKey } = await crypto.generateKey(algorithm)
    expect(publicKey.alg).toBe(algorithm)
    expect(privateKey.alg).toBe(algorithm)
    if (algorithm !== 'HS256') expect(publicKey).not.toHaveProperty('d')
    const header = Buffer.from(JSON.stringify({ alg: algorithm })).toString('base64url')
    const input = `${header}.${Buffer.from('payload').toString('base64url')}`
    const signature = await (await crypto.signer(algorithm, privateKey))(input)
    const key = await jose.importJWK(publicKey, algorithm)
    await expect(jose.compactVerify(`${input}.${signature}`, key)).resolves.toBeDefined()

    const signing = await jose.importJWK(privateKey, algorithm)
    const theirs = await new jose.CompactSign(Buffer.from('payload'))
      .setProtectedHeader({ alg: algorithm })
      .sign(signing)
    const end = theirs.lastIndexOf('.')
    expect(await (await crypto.verifier(algorithm, publicKey))(theirs.slice(0, end), theirs.slice(end + 1))).toBe(true)
  })

  test.each(algorithms)('TOK-15: %s rejects malformed signatures without an exception', async algorithm => {
    const { privateKey, publicKey } = await crypto.generateKey(algorithm)
    const good = await (await crypto.signer(algorithm, privateKey))('input')
    const verify = await crypto.verifier(algorithm, publicKey)
    expect(await verify('input', good)).toBe(true)
    const bytes = Buffer.from(good, 'base64url')
    const half = bytes.length / 2
    const malformed = [
      '', 'A', '.', ' ', 'null', `${good}=`, `${good}A`, `${good}AA`, ` ${good}`, `${good}\n`,
      good.slice(1), good.slice(0, -1),
      'é'.repeat(good.length), '\u{1f511}'.repeat(good.length / 2 | 0),
      Buffer.alloc(bytes.length).toString('base64url'),
      Buffer.concat([Buffer.alloc(half), bytes.subarray(half)]).toString('base64url'),
      Buffer.concat([bytes.subarray(0, half), Buffer.alloc(half)]).toString('base64url'),
      Buffer.alloc(bytes.length, 255).toString('base64url'),
      Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'),
      bytes.subarray(1).toString('base64url'), Buffer.concat([bytes, bytes]).toString('base64url'),
      derOf(bytes).toString('base64url'),
    ]
    for (const signature of malformed) expect(await verify('input', signature)).toBe(false)
  })

  test.each(algorithms)('TOK-16: %s accepts only the canonical encoding of a signature', async algorithm => {
    const { privateKey, publicKey } = await crypto.generateKey(algorithm)
    const good = await (await crypto.signer(algorithm, privateKey))('input')
    const verify = await crypto.verifier(algorithm, publicKey)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const last of alphabet) {
      if (last === good.at(-1)) continue
      expect(await verify('input', good.slice(0, -1) + last)).toBe(false)
    }
    const standard = good.replaceAll('-', '+').replaceAll('_', '/')
    if (standard !== good) expect(await verify('input', standard)).toBe(false)
  })

  test('TOK-03: rejects keys without alg, with another alg, or of another type', async () => {
    const { jwk } = es256Vector
    const { alg: _, ...nameless } = jwk
    const refused: readonly (readonly [SignatureAlgorithm, Jwk])[] = [
      ['ES256', nameless], ['ES256', { ...jwk, alg: 'ES384' }], ['ES256', { ...jwk, alg: 'es256' }],
      ['ES256', { ...jwk, kty: 'RSA' }], ['ES256', { ...jwk, crv: 'P-384' }], ['ES256', ed25519Vector.jwk],
      ['EdDSA', jwk], ['EdDSA', { ...ed25519Vector.jwk, crv: 'X25519' }], ['HS256', jwk],
      ['HS256', { ...jwk, alg: 'HS256' }], ['RS256', { ...hs256Vector.jwk, alg: 'RS256' }],
      ['ES256', { ...jwk, x: `${jwk.x}=` }], ['ES256', { ...jwk, y: jwk.x }],
      ['EdDSA', { ...ed25519Vector.jwk, x: 'AA' }],
      ['ES256', {}],
    ]
    for (const [algorithm, key] of refused) {
      await expect((async () => crypto.verifier(algorithm, key))()).rejects.toMatchObject({ code: 'MISUSE' })
      await expect((async () => crypto.signer(algorithm, key))()).rejects.toMatchObject({ code: 'MISUSE' })
    }
    const { d: __, ...publicHalf } = jwk
    await expect((async () => crypto.signer('ES256', publicHalf))()).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('TOK-22: rejects weak keys', async () => {
    const secret = (bytes: Uint8Array): Jwk => (
      { kty: 'oct', alg: 'HS256', k: Buffer.from(bytes).toString('base64url') }
    )
    for (const bytes of [new Uint8Array(), new Uint8Array(8).fill(1), new Uint8Array(31).fill(1), new Uint8Array(64)]) {
      await expect((async () => crypto.verifier('HS256', secret(bytes)))()).rejects.toMatchObject({ code: 'MISUSE' })
      await expect((async () => crypto.signer('HS256', secret(bytes)))()).rejects.toMatchObject({ code: 'MISUSE' })
      await expect((async () => crypto.mac(bytes))()).rejects.toMatchObject({ code: 'MISUSE' })
    }
    const weak = [{ modulusLength: 1024 }, { modulusLength: 2040 }, { modulusLength: 2048, publicExponent: 3 }]
    for (const options of weak) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', options)
      const jwk = (key: typeof publicKey): Jwk => ({ ...key.export({ format: 'jwk' }), alg: 'RS256' })
      await expect((async () => crypto.verifier('RS256', jwk(publicKey)))()).rejects.toMatchObject({ code: 'MISUSE' })
      await expect((async () => crypto.signer('RS256', jwk(privateKey)))()).rejects.toMatchObject({ code: 'MISUSE' })
    }
    // A key of 1,024 bits with leading zeros is still one of 1,024 bits.
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(n, 'base64url')]).toString('base64url')
    const jwk = { kty: 'RSA', alg: 'RS256', e, n: padded }
    await expect((async () => crypto.verifier('RS256', jwk))()).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('TOK-13: decodes canonical base64url of valid UTF-8, and nothing else', () => {
    expect(crypto.decodeText(crypto.encodeText('Zürich \u{1f511}'))).toBe('Zürich \u{1f511}')
    expect(crypto.decodeText('')).toBe('')
    expect(crypto.decodeText(Buffer.from('\ufeff{}').toString('base64url'))).toBe('\ufeff{}')
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0x7b, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      expect(crypto.decodeText(Buffer.from(bytes).toString('base64url'))).toBeNull()
    }
    // An encoded replacement character is valid; invalid bytes that would be decoded to one are not.
    expect(crypto.decodeText(crypto.encodeText('\ufffd'))).toBe('\ufffd')
    expect(crypto.decodeText(Buffer.from([0xef, 0xbf, 0xbd, 0xff]).toString('base64url'))).toBeNull()
    for (const text of ['A', 'AB', 'eyJ9=', 'e yJ', 'e+J9', 'e/J9', 'eyJ9\n', 'é', '.']) {
      expect(crypto.decodeText(text)).toBeNull()
    }
  })

  test('TOK-11: a string is never mistaken for the previous one, whatever their lengths', async () => {
    const { privateKey, publicKey } = await crypto.generateKey('RS256')
    const [signer, verifier] = [await crypto.signer('RS256', privateKey), await crypto.verifier('RS256', publicKey)]
    for (const length of [0, 1, 2, 3, 4, 5, 300, 2730, 2731, 8191, 8192, 8193, 20_000]) {
      const input = 'a'.repeat(length)
      const signature = await signer(input)
      expect(await verifier(input, signature)).toBe(true)
      expect(crypto.decodeText(crypto.encodeText(input))).toBe(input)
      // The last character does not fit into one byte. If it were dropped, the bytes would be those of the previous
      // string.
      for (const last of ['\u00e9', '\u20ac', '\u0141', '\ud83d']) {
        expect(await verifier(input + last, signature)).toBe(false)
        expect(await verifier(input, signature.slice(0, -1) + last)).toBe(false)
        expect(crypto.decodeText(crypto.encodeText(input).slice(0, -1) + last)).toBeNull()
      }
    }
  })

  test('ST-02: a ciphertext decrypts only unchanged, with the same secret and context', async () => {
    const cipher = await crypto.cipher('a secret of the application, long enough')
    const ciphertext = await cipher.encrypt('Zürich \u{1f511}', 'context')
    expect(await cipher.decrypt(ciphertext, 'context')).toBe('Zürich \u{1f511}')
    expect(await cipher.encrypt('Zürich \u{1f511}', 'context')).not.toBe(ciphertext)
    expect(await cipher.decrypt(ciphertext, 'another')).toBeNull()
    expect(await (await crypto.cipher('another secret of the application.....')).decrypt(ciphertext, 'context'))
      .toBeNull()
    for (let index = 0; index < ciphertext.length; index++) {
      const changed = ciphertext.slice(0, index) + (ciphertext[index] === 'A' ? 'B' : 'A') + ciphertext.slice(index + 1)
      expect(await cipher.decrypt(changed, 'context')).toBeNull()
    }
    for (const text of ['', '.', 's1.', 's1..', ciphertext.slice(0, -1), `${ciphertext}A`, `${ciphertext}=`, '{}']) {
      expect(await cipher.decrypt(text, 'context')).toBeNull()
    }
    expect(await cipher.decrypt(await cipher.encrypt('', ''), '')).toBe('')
  })
})

describe('both platforms', () => {
  test('agree byte for byte where the result is determined', async () => {
    const key = new Uint8Array(32).fill(3)
    expect(await webCrypto.sha256('text')).toBe(await nodeCrypto.sha256('text'))
    expect(await (await webCrypto.mac(key))('text')).toBe(await (await nodeCrypto.mac(key))('text'))
    expect(webCrypto.encodeText('text \u{1f511}')).toBe(nodeCrypto.encodeText('text \u{1f511}'))
    for (const algorithm of ['EdDSA', 'RS256', 'HS256'] as const) {
      const { privateKey } = await webCrypto.generateKey(algorithm)
      const signatures = await Promise.all([webCrypto, nodeCrypto].map(async crypto => (
        (await crypto.signer(algorithm, privateKey))('input')
      )))
      expect(signatures[0]).toBe(signatures[1])
    }
  })

  test.each(algorithms)('use each other\'s %s keys', async algorithm => {
    for (const [maker, user] of [[webCrypto, nodeCrypto], [nodeCrypto, webCrypto]] as const) {
      const { privateKey, publicKey } = await maker.generateKey(algorithm)
      const signature = await (await user.signer(algorithm, privateKey))('input')
      expect(await (await maker.verifier(algorithm, publicKey))('input', signature)).toBe(true)
    }
  })

  test('decrypt what the other encrypted', async () => {
    for (const [from, to] of [[webCrypto, nodeCrypto], [nodeCrypto, webCrypto]] as const) {
      const ciphertext = await (await from.cipher('the same secret of the application ')).encrypt('text', 'context')
      expect(await (await to.cipher('the same secret of the application ')).decrypt(ciphertext, 'context')).toBe('text')
    }
  })

  test('node:crypto answers synchronously', () => {
    expect(nodeCrypto.sha256('text')).toBeTypeOf('string')
    const key = nodeCrypto.generateKey('ES256')
    if (key instanceof Promise) throw new Error('asynchronous')
    expect(createPublicKey({ key: { ...key.publicKey }, format: 'jwk' }).asymmetricKeyType).toBe('ec')
    const signer = nodeCrypto.signer('ES256', key.privateKey)
    expect(signer).toBeTypeOf('function')
  })
})

/** The ASN.1 form (RFC 3279 section 2.2.3) of a raw `r || s`. */
function derOf(raw: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const first = bytes.findIndex(byte => byte !== 0)
    const trimmed = bytes.subarray(Math.max(first, 0))
    const body = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), trimmed]) : trimmed
    return Buffer.concat([Buffer.from([2, body.length]), body])
  }
  const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32, 64))])
  return Buffer.concat([Buffer.from([0x30, both.length]), both])
}
