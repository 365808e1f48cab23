import { mapAwaitable } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { constantTimeEqual } from '../base/constant-time.ts'
import type { VerificationKeys } from './access-token.ts'
import type { Crypto } from './crypto.ts'
import type { KeyRing } from './key-ring.ts'

/**
 * Computes the MAC of an access token: the first 22 characters (132 bits) of HMAC-SHA-256 in base64url. It stands for
 * the signature where the key is known, and costs a thirtieth of it (docs/decisions/0019-token-mac.md).
 */
export type TokenMac = (accessToken: string) => Awaitable<string>

/** Reads the MACs that a request contains. Called only for a token that is not in the cache. */
export type MacSource = () => readonly string[]

/** The bytes of a key for MACs. */
export const MAC_KEY_BYTES = 32

const MAC_LENGTH = 22
/** Begins every input, so that no other use of the key can produce a MAC of a token. */
const LABEL = 'keyturn access token '

/** Prepares the MAC with a key. @throws GeneralError (`MISUSE`) if the key is too weak (TOK-22). */
export async function createTokenMac(crypto: Pick<Crypto, 'mac'>, key: Uint8Array): Promise<TokenMac> {
  const mac = await crypto.mac(key)
  return token => mapAwaitable(mac(LABEL + token), text => text.slice(0, MAC_LENGTH))
}

/**
 * The keys that verify `accessToken` if its request also contains `macs`: one that is right stands for the signature,
 * and for nothing else. Without a right one, the signature decides.
 */
export function acceptingMacs(keys: KeyRing, accessToken: string, macs: MacSource): VerificationKeys {
  return {
    accessKeyByHeader(segment) {
      const key = keys.accessKeyByHeader(segment)
      if (key === null || key.mac === null) return key
      const { mac } = key
      return {
        verify(input, signature) {
          const presented = macs()
          if (presented.length === 0) return key.verify(input, signature)
          return mapAwaitable(mac(accessToken), right => (
            presented.some(text => constantTimeEqual(text, right)) || key.verify(input, signature)
          ))
        },
      }
    },
    hasAccessKey: keys.hasAccessKey,
    decodeText: keys.decodeText,
  }
}
