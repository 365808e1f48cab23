import { builtinCrypto } from './builtin-crypto.ts'

/** The block of SHA-256, in bytes. */
const BLOCK = 64
const DIGEST = 32

/** For how long a message there is a buffer at hand: access tokens and all that is shorter. */
const ROOM = 2048

/**
 * HMAC-SHA-256 under one key (RFC 2104): a UTF-8 text in, base64url out. Two hashes in one shot each take half the time
 * of `createHmac`, which makes an object for every message; a refresh takes three.
 */
export function hmacSha256(key: Uint8Array): (message: string) => string {
  const { hash } = builtinCrypto()
  const padded = new Uint8Array(BLOCK)
  padded.set(key.length > BLOCK ? hash('sha256', key, 'buffer') : key)
  const inner = Buffer.alloc(BLOCK + ROOM)
  inner.set(padded.map(byte => byte ^ 0x36))
  const outer = Buffer.alloc(BLOCK + DIGEST)
  outer.set(padded.map(byte => byte ^ 0x5c))

  function within(message: string): Uint8Array {
    // A character has three bytes at most.
    if (message.length * 3 > ROOM) return Buffer.concat([inner.subarray(0, BLOCK), Buffer.from(message)])
    return inner.subarray(0, BLOCK + inner.write(message, BLOCK))
  }

  return message => {
    outer.write(hash('sha256', within(message), 'binary'), BLOCK, 'binary')
    return hash('sha256', outer, 'base64url')
  }
}
