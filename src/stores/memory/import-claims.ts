import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { ImportClaim, ImportClaims } from '../../session/import-claims.ts'
import type { SessionRecord } from '../../session/record.ts'
import { countClaims } from '../import-counts.ts'

/** What claims need of a memory store. */
export interface MemorySessions {
  find(handle: SessionHandle): SessionRecord | undefined
  add(record: SessionRecord): void
  drop(handle: SessionHandle): unknown
  /** The latest not-before that applies to the session. */
  notBeforeOf(record: SessionRecord): EpochMilliseconds
}

/** The import claims of a memory store. `claims` is theirs; the cleanup removes from it what is due. */
export function createImportClaims(claims: Map<SessionHandle, ImportClaim>, sessions: MemorySessions): ImportClaims {
  return {
    async findImport(handle) {
      const claim = claims.get(handle)
      return claim === undefined ? null : { ...claim }
    },

    async admitImport({ claim: given, record }) {
      const standing = claims.get(record.handle)
      const claim = standing ?? { ...given }
      if (standing === undefined) claims.set(record.handle, claim)
      if (sessions.notBeforeOf(record) > claim.issuedAt) {
        if (sessions.find(record.handle)?.generation === 0) sessions.drop(record.handle)
        return { claim: { ...claim }, outcome: 'refused' }
      }
      if (standing === undefined) sessions.add(record)
      return { claim: { ...claim }, outcome: standing === undefined ? 'admitted' : 'known' }
    },

    countImports: async () => countClaims(claims.values()),
  }
}
