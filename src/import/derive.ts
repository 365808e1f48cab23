import { decodeBase64url, encodeBase64url } from '../base/base64url.ts'
import { GeneralError } from '../base/errors.ts'
import { derivedHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { TransferMode } from '../base/wire.ts'
import type { Crypto } from '../tokens/crypto.ts'
import type { ApplicationIdentity } from '../tokens/refresh-token.ts'

/** Names a session of another system, for derivations. Unambiguous, whatever the key contains. */
export function subjectOf(source: string, key: string): string {
  return JSON.stringify([source, key])
}

/**
 * The handle of an imported session: 16 bytes of a hash of its name in the other system. So every process finds the
 * same claim, whatever its keys, and in a cluster the claim is where the session is. Like every handle, it is no
 * secret.
 */
export async function importedHandle(
  crypto: Pick<Crypto, 'sha256'>,
  { name, audience }: ApplicationIdentity,
  mode: TransferMode,
  subject: string,
): Promise<SessionHandle> {
  const hash = await crypto.sha256(`keyturn imported session 1.${JSON.stringify([name, audience])}${subject}`)
  const bytes = decodeBase64url(hash)
  const handle = bytes === null ? null : derivedHandle(mode, encodeBase64url(bytes.subarray(0, 16)))
  if (handle === null) throw new GeneralError('MISUSE', 'the hash function of this platform must return base64url')
  return handle
}
