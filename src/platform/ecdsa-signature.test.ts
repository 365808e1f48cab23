import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { derSignature, rawSignature } from './ecdsa-signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

test('node:crypto accepts both forms, with any leading zeros and first bits', () => {
  // In 600 signatures, about five numbers begin with a zero byte, and half of them with a bit that is set.
  for (let index = 0; index < 600; index++) {
    const input = Buffer.from(`message ${index}`)
    const raw = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    expect(verify('sha256', input, publicKey, derSignature(raw))).toBe(true)
    const der = sign('sha256', input, privateKey)
    expect(verify('sha256', input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, rawSignature(der))).toBe(true)
    expect(derSignature(rawSignature(der))).toEqual(new Uint8Array(der))
  }
})

test.each([
  ['small numbers', '01', '7f', '3006020101' + '02017f'],
  ['a first bit that is set', '80', 'ff', '300802020080' + '020200ff'],
  ['zeros', '00', '00', '3006020100' + '020100'],
])('%s in the fewest bytes', (_, r, s, der) => {
  const raw = Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex')
  expect(Buffer.from(derSignature(raw)).toString('hex')).toBe(der)
  expect(Buffer.from(rawSignature(Buffer.from(der, 'hex'))).equals(raw)).toBe(true)
})
