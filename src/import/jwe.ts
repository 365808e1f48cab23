import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { areEqual } from './mac.ts'

/** The parts of a compact JWE (RFC 7516 section 7.1) with direct encryption. */
export interface Jwe {
  readonly header: JsonObject
  /** The first segment, as it was sent: it is authenticated. */
  readonly protectedHeader: string
  readonly iv: Buffer
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

const LONGEST = 65_536

/** Parses a compact JWE with `alg: dir`; null for any other text. */
export function parseJwe(text: string): Jwe | null {
  const segments = text.split('.')
  const [protectedHeader = '', key, iv = '', ciphertext = '', tag = ''] = segments
  if (segments.length !== 5 || key !== '' || text.length > LONGEST) return null
  const header = parseJsonObject(Buffer.from(protectedHeader, 'base64url').toString('utf8'))
  if (header === null || header['alg'] !== 'dir' || header['zip'] !== undefined || header['crit'] !== undefined) {
    return null
  }
  const bytes = (segment: string): Buffer => Buffer.from(segment, 'base64url')
  return { header, protectedHeader, iv: bytes(iv), ciphertext: bytes(ciphertext), tag: bytes(tag) }
}

/** Decrypts with a key of the algorithm's length; null if the key is another one, or the token was changed. */
export function decryptJwe({ header, ...jwe }: Jwe, key: Buffer): JsonObject | null {
  try {
    const plain = header['enc'] === 'A256GCM' ? gcm(jwe, key) : cbc(jwe, key)
    return plain === null ? null : parseJsonObject(plain.toString('utf8'))
  } catch {
    return null
  }
}

/** The length of the key of a content encryption, in bytes; null for one that Auth.js does not use. */
export function keyLengthOf({ header }: Pick<Jwe, 'header'>): number | null {
  switch (header['enc']) {
    case 'A256GCM': return 32
    case 'A256CBC-HS512': return 64
    default: return null
  }
}

/** HKDF-SHA-256 (RFC 5869). */
export function hkdf(secret: string, salt: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length))
}

/** The `kid` of Auth.js 5: the SHA-512 thumbprint of the key (RFC 7638). */
export function thumbprint(key: Buffer): string {
  return createHash('sha512').update(JSON.stringify({ k: key.toString('base64url'), kty: 'oct' })).digest('base64url')
}

function gcm({ protectedHeader, iv, ciphertext, tag }: Omit<Jwe, 'header'>, key: Buffer): Buffer | null {
  if (key.length !== 32 || iv.length !== 12 || tag.length !== 16) return null
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAuthTag(tag)
  decipher.setAAD(Buffer.from(protectedHeader))
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

/** A256CBC-HS512 (RFC 7518 section 5.2.5): the first half of the key authenticates, the second encrypts. */
function cbc({ protectedHeader, iv, ciphertext, tag }: Omit<Jwe, 'header'>, key: Buffer): Buffer | null {
  if (key.length !== 64 || iv.length !== 16 || tag.length !== 32) return null
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(protectedHeader.length * 8))
  const mac = createHmac('sha512', key.subarray(0, 32)).update(protectedHeader).update(iv).update(ciphertext).update(
    length,
  )
  if (!areEqual(mac.digest().subarray(0, 32), tag)) return null
  const decipher = createDecipheriv('aes-256-cbc', key.subarray(32), iv)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}
