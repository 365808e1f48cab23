import type { Crypto } from '../../src/tokens/crypto.ts'

/** Cryptography that counts the signatures it verifies. */
export interface CountedSignatures {
  readonly crypto: Crypto
  count: number
}

export function countSignatures(crypto: Crypto): CountedSignatures {
  const counted: CountedSignatures = {
    count: 0,
    crypto: {
      ...crypto,
      verifier: async (algorithm, key) => {
        const verify = await crypto.verifier(algorithm, key)
        return (input, signature) => {
          counted.count++
          return verify(input, signature)
        }
      },
    },
  }
  return counted
}
