import { encodeBase64url } from '../base/base64url.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { hashAnchor, hashSecret } from '../tokens/refresh-token.ts'
import type { Engine } from './engine.ts'
import type { SessionRecord } from './record.ts'

/** The first refresh token of a lineage, and what the record keeps of it. */
export interface NewLineage {
  readonly refreshToken: string
  readonly fields: Pick<
    SessionRecord,
    | 'authenticatedAt' | 'refreshHash' | 'anchorHash' | 'refreshKeyId' | 'generation' | 'branch' | 'confirmed'
    | 'rotatedAt' | 'servedAt'
  >
}

/**
 * Creates the first refresh token of a lineage: at a login, and when the user authenticates again. Secret and anchor
 * are random; nothing of an earlier token is in them (ROT-06).
 */
export async function newLineage(
  { crypto, entropy }: Engine,
  ring: KeyRing,
  handle: SessionHandle,
  { generation, authenticatedAt }: Pick<SessionRecord, 'generation' | 'authenticatedAt'>,
  now: EpochMilliseconds,
): Promise<NewLineage> {
  const secrets = entropy(64)
  const [anchor, secret] = [encodeBase64url(secrets.subarray(0, 32)), encodeBase64url(secrets.subarray(32))]
  const key = ring.refreshKeyAt(now)
  return {
    refreshToken: await key.write({ handle, generation, branch: 0, anchor, secret }),
    fields: {
      authenticatedAt,
      refreshHash: await hashSecret(crypto, secret),
      anchorHash: await hashAnchor(crypto, anchor),
      refreshKeyId: key.kid,
      generation,
      branch: 0,
      confirmed: true,
      rotatedAt: now,
      servedAt: now,
    },
  }
}
