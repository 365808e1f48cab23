import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as jose from 'jose'
import { expect, test } from 'vitest'
import { readSample, sampleClaims, sampleMembers, segment } from '../../test/support/access-token.ts'
import { accessKeyOf, newKid, sampleAccessKey, sampleRing } from '../../test/support/key-ring.ts'
import type { JsonObject } from '../base/json.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { decodeSessionHandleUnverified } from './access-token.ts'

const material = await nodeCrypto.generateKey('ES256')
const kid = newKid()
const key = await accessKeyOf('ES256', material, { kid })
const ring = await sampleRing([key])
const claims = JSON.stringify(sampleMembers())
const good = await key.sign(claims)
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')
const privateKey = createPrivateKey({ key: { ...material.privateKey }, format: 'jwk' })
const publicKey = createPublicKey({ key: { ...material.publicKey }, format: 'jwk' })

/** A token with any header, signed with the valid key. */
function withHeader(header: JsonObject | string, payload: string = goodPayload): string {
  const input = `${segment(header)}.${payload}`
  return `${input}.${rawSignature(input)}`
}

function rawSignature(input: string): string {
  return sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

async function kindOf(text: string): Promise<string> {
  return (await readSample(text, ring)).kind
}

test('the token that the other tests modify is valid', async () => {
  expect(await kindOf(good)).toBe('valid')
  expect(await kindOf(withHeader({ alg: 'ES256', typ: 'at+jwt', kid }))).toBe('valid')
})

test('TOK-01: a token with any bit of its signature flipped is invalid', async () => {
  const bytes = Buffer.from(goodSignature, 'base64url')
  for (let bit = 0; bit < 512; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(await kindOf(`${goodHeader}.${goodPayload}.${flipped.toString('base64url')}`)).toBe('invalid')
  }
})

test('TOK-01: a token with a changed payload is invalid; only the function named "unverified" reads it', async () => {
  const sid = sampleClaims().sid
  const forged = `${goodHeader}.${segment({ ...JSON.parse(claims), sid })}.${goodSignature}`
  expect(await kindOf(forged)).toBe('invalid')
  expect(decodeSessionHandleUnverified(forged, nodeCrypto)).toBe(sid)
})

test('TOK-02: the token does not determine the algorithm', async () => {
  const others = ['none', 'None', 'NONE', 'nOnE', '', null, ['ES256'], 'HS256', 'RS256', 'ES384', 'es256', 'ES256 ']
  for (const alg of others) {
    expect(await kindOf(withHeader({ alg, typ: 'at+jwt', kid }))).toBe('invalid')
    expect(await kindOf(`${segment({ alg, typ: 'at+jwt', kid })}.${goodPayload}.`)).toBe('invalid')
  }
  expect(await kindOf(withHeader({ typ: 'at+jwt', kid }))).toBe('invalid')
  expect(await kindOf(withHeader({ alg: 'ES256', typ: 'at+jwt' }))).toBe('unrecognized')
})

test('TOK-03: an HMAC with the public key as its key is not a valid signature', async () => {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const secrets = [
    pem, ` ${pem}`, `\n${pem}`, `\ufeff${pem}`, pem.trim(), JSON.stringify(material.publicKey),
    publicKey.export({ type: 'spki', format: 'der' }),
  ]
  for (const secret of secrets) {
    for (const header of [segment({ alg: 'HS256', typ: 'at+jwt', kid }), goodHeader]) {
      const mac = createHmac('sha256', secret).update(`${header}.${goodPayload}`).digest('base64url')
      expect(await kindOf(`${header}.${goodPayload}.${mac}`)).toBe('invalid')
    }
  }
})

test('TOK-04: a token that contains a key, or the URL of one, is invalid, and nothing is fetched', async () => {
  let connections = 0
  const server = createServer().on('connection', () => { connections += 1 })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const stranger = await jose.generateKeyPair('ES256', { extractable: true })
  const jwk = await jose.exportJWK(stranger.publicKey)
  for (const extra of [{ jwk }, { jku: url }, { x5u: url }, { x5c: ['AA=='] }, { x5t: 'AA' }]) {
    const header = { alg: 'ES256', typ: 'at+jwt', kid, ...extra }
    expect(await kindOf(withHeader(header as JsonObject))).toBe('invalid')
    const theirs = await new jose.CompactSign(Buffer.from(claims)).setProtectedHeader(header).sign(stranger.privateKey)
    expect(await kindOf(theirs)).toBe('invalid')
  }
  expect(connections).toBe(0)
  await new Promise(resolve => server.close(resolve))
})

test('TOK-05: a token with `crit` or `b64` is invalid', async () => {
  for (const extra of [
    { crit: ['exp'], exp: 1 }, { crit: [] }, { crit: 'exp' }, { crit: ['b64', 'b64'], b64: true },
    { crit: ['b64'], b64: false }, { b64: false }, { b64: true }, { zip: 'DEF' },
  ]) {
    expect(await kindOf(withHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...extra }))).toBe('invalid')
  }
})

test('TOK-06: a key is found by its exact id, and a malicious id does no harm', async () => {
  const names = [
    '../../dev/null', '\' OR 1=1--', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(10_000), '',
    `${kid} `, kid.toLowerCase(), kid.slice(1), `${kid}A`,
  ]
  for (const name of names) {
    if (name === kid) continue
    expect(['unrecognized', 'unknown-key'])
      .toContain(await kindOf(withHeader({ alg: 'ES256', typ: 'at+jwt', kid: name })))
  }
  for (const name of [null, 1, [kid], { kid }]) {
    expect(await kindOf(withHeader({ alg: 'ES256', typ: 'at+jwt', kid: name }))).toBe('unrecognized')
  }
})

test('TOK-06: only a token with the form of an access token of Keyturn makes a process look for an unknown key', async () => {
  const other = newKid()
  const header = { alg: 'ES256', typ: 'at+jwt', kid: other }
  expect(await readSample(withHeader(header), ring)).toEqual({ kind: 'unknown-key', kid: other })
  expect(await kindOf(withHeader({ ...header, typ: 'JWT' }))).toBe('unrecognized')
  expect(await kindOf(withHeader({ ...header, kid: `${other}A` }))).toBe('unrecognized')
  for (const change of [{ sid: 'x' }, { sid: null }, { keyturn: null }, { keyturn: [] }]) {
    expect(await kindOf(withHeader(header, segment({ ...JSON.parse(claims), ...change })))).toBe('unrecognized')
  }
  expect(await kindOf(withHeader(header, segment('[]')))).toBe('unrecognized')
  expect(await kindOf(`${withHeader(header)}=`)).toBe('unrecognized')
})

test('TOK-07: a token of another type is invalid, even with a valid signature', async () => {
  for (const typ of ['JWT', 'dpop+jwt', 'dbsc+jwt', 'rt+jwt', '', null, 'at+JWT', 'application/at+jwt']) {
    expect(await kindOf(withHeader({ alg: 'ES256', typ, kid }))).toBe('invalid')
  }
})

test('TOK-11: only the compact serialization is accepted', async () => {
  const { length } = goodHeader
  const spoiled = [
    '=', '+', '/', ' ', '\n', '\t', '%2E', '\u0000', '.',
  ].flatMap(mark => [
    `${good}${mark}`, `${mark}${good}`, `${good.slice(0, 50)}${mark}${good.slice(50)}`,
    `${good.slice(0, length)}${mark}${good.slice(length)}`,
    `${good.slice(0, length + 40)}${mark}${good.slice(length + 40)}`,
  ])
  const shapes = [
    goodHeader, `${goodHeader}.${goodPayload}`, `${goodHeader}.${goodPayload}.`, `${good}.${goodSignature}`,
    `${good}.a.b`, '.', '..', '...', '....', `.${goodPayload}.${goodSignature}`, `${goodHeader}..${goodSignature}`,
    JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }),
    JSON.stringify({ payload: goodPayload, signatures: [{ protected: goodHeader, signature: goodSignature }] }),
    `"${good}"`, `Bearer ${good}`,
  ]
  for (const text of [...spoiled, ...shapes]) expect(['unrecognized', 'invalid']).toContain(await kindOf(text))
})

test('TOK-12: encrypted tokens (JWE) are rejected by their number of parts', async () => {
  const text = await new jose.CompactEncrypt(Buffer.from(claims))
    .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 1000, kid })
    .encrypt(Buffer.from('password'))
  const [, ...rest] = text.split('.')
  const bomb = segment({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 1e9, p2s: 'AAAA', zip: 'DEF', kid })
  expect(await kindOf(text)).toBe('unrecognized')
  expect(await kindOf([bomb, ...rest].join('.'))).toBe('unrecognized')
  expect(await kindOf(`${bomb}.${goodPayload}.${goodSignature}`)).toBe('invalid')
})

test('TOK-13: a header with a duplicate member, or in another encoding, is rejected', async () => {
  const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })
  for (const text of [
    header.replace('{', '{"alg":"none",'), header.replace('}', ',"alg":"ES256"}'), ` ${header}`, `\ufeff${header}`,
    header.replace('kid', '\\u006bid'),
  ]) {
    expect(['unrecognized', 'invalid']).toContain(await kindOf(withHeader(text)))
  }
  for (const text of ['[]', 'null', '"x"', '1', '', '{']) expect(await kindOf(withHeader(text))).toBe('unrecognized')
  const input = `${goodHeader}.${segment(Buffer.from([0x7b, 0xff, 0x7d]))}`
  expect(await kindOf(`${input}.${rawSignature(input)}`)).toBe('invalid')
})

test('TOK-15: signatures in DER, of zeros or of another length are not valid for ES256', async () => {
  const der = sign('sha256', Buffer.from(`${goodHeader}.${goodPayload}`), privateKey)
  for (const bytes of [der, Buffer.alloc(64), ...[0, 63, 65, 128].map(length => Buffer.alloc(length, 1))]) {
    expect(await kindOf(`${goodHeader}.${goodPayload}.${bytes.toString('base64url')}`)).toBe('invalid')
  }
})

test('TOK-16: the second valid ECDSA signature of a token yields the same session; non-canonical encodings are invalid', async () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const bytes = Buffer.from(goodSignature, 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const mirrored = Buffer.concat([
    bytes.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'),
  ])
  const reading = await readSample(`${goodHeader}.${goodPayload}.${mirrored.toString('base64url')}`, ring)
  expect(reading.kind === 'valid' && reading.claims.sid).toBe(JSON.parse(claims).sid)
  for (const tail of 'ABCDEFGHIJKLMNOP') {
    const text = good.slice(0, -1) + tail
    if (text !== good) expect(await kindOf(text)).toBe('invalid')
  }
})

test('TOK-20: a removed key verifies nothing', async () => {
  const rest = await sampleRing([await sampleAccessKey()])
  expect((await readSample(good, rest)).kind).toBe('unknown-key')
})

test('DOS-01: a token longer than 8 KiB is rejected unread', async () => {
  const long = await key.sign(JSON.stringify({ ...JSON.parse(claims), note: 'x'.repeat(7000) }))
  expect(long.length).toBeGreaterThan(8192)
  expect(await kindOf(long)).toBe('unrecognized')
  expect(decodeSessionHandleUnverified(long, nodeCrypto)).toBeNull()
  expect(await kindOf('.'.repeat(1e6))).toBe('unrecognized')
})
