import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionRecord } from './record.ts'

/**
 * The part of the port `SessionStore` that remembers which sessions of another system were taken over
 * (`keyturn/import`). A claim outlives its session: without it, the old credential would create a session that has
 * ended once more.
 */
export interface ImportClaims {
  /** Reads a claim; null if the session was never taken over. */
  findImport(handle: SessionHandle): Promise<ImportClaim | null>
  /**
   * Adds a claim and its session in one step: both or neither, whatever fails. If there is a claim with this handle, it
   * adds nothing. Of concurrent calls, exactly one adds. A claim without a session therefore always means that the
   * session has ended.
   *
   * Then applies the not-befores of the session's user, of its user and tenant, and of all users, also if the claim was
   * there before: if one of them is later than the claim's `issuedAt`, the claim stays, but its session is not added,
   * or is removed again unless it was refreshed (its `generation` is above 0). If an admission and a removal of the
   * user's sessions run at once, either the admission is refused or the removal finds the session. Durable before it
   * resolves.
   */
  admitImport(admission: ImportAdmission): Promise<AdmittedImport>
  /**
   * Counts the claims that the store still has, by source and day, oldest first. A store may miss some after a crash.
   */
  countImports(): Promise<readonly ImportCount[]>
}

/** Says that a session of another system was taken over, or was refused for good. */
export interface ImportClaim {
  /**
   * The handle of the session. It is derived from the source and the session's id there, so that it names the claim.
   */
  readonly handle: SessionHandle
  /** The name of the system. */
  readonly source: string
  /** The id of the refresh key that the first refresh token is derived with, whatever key is the current one. */
  readonly kid: string
  /** What the importer keeps to recognize the credentials of the session; no secret. At most 255 characters. */
  readonly proof: string
  /** When the old credential was issued; 0 if that is unknown. A later not-before refuses it. */
  readonly issuedAt: EpochMilliseconds
  /** When the session was taken over. */
  readonly admittedAt: EpochMilliseconds
  /** How long the claim is kept; `removeExpired` removes it afterwards. */
  readonly until: EpochMilliseconds
}

/** A claim and the session to add with it; both have the same handle. */
export interface ImportAdmission {
  /** The claim to add. */
  readonly claim: ImportClaim
  /** The session to add. */
  readonly record: SessionRecord
}

/** The result of {@link ImportClaims.admitImport}. */
export interface AdmittedImport {
  /** The claim that stands: the given one, or the one that was there. */
  readonly claim: ImportClaim
  /** `admitted`: both were added. `known`: there was a claim. `refused`: a not-before refuses the session. */
  readonly outcome: 'admitted' | 'known' | 'refused'
}

/** How many sessions of a source were taken over on one day. */
export interface ImportCount {
  /** The name of the system. */
  readonly source: string
  /** The beginning of the day in UTC. */
  readonly day: EpochMilliseconds
  /** The number of claims that were added on that day. */
  readonly count: number
}
