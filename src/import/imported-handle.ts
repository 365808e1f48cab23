import { createHash } from 'node:crypto'
import type { TransferMode } from '../base/wire.ts'
import { DEFAULT_APPLICATION } from '../tokens/access-token.ts'
import { importedHandle, subjectOf } from './derive.ts'

/** Which application has taken a session over: its options of `createSessions`. */
export interface ImportingApplication {
  /** Default: `default`. */
  readonly application?: string
  /** Default: none. */
  readonly audience?: string
  /** How the session's tokens are sent. Default: `cookie`. */
  readonly mode?: TransferMode
}

/**
 * The handle that a session of another system has, or would have, in Keyturn: for handles that your application has
 * stored elsewhere. `key` is the session's id there; with SuperTokens `<app> <tenant> <session handle>`.
 */
export async function importedHandleOf(
  source: string,
  key: string,
  { application = DEFAULT_APPLICATION, audience, mode = 'cookie' }: ImportingApplication = {},
): Promise<string> {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
  return importedHandle({ sha256 }, { name: application, audience: audience ?? null }, mode, subjectOf(source, key))
}
