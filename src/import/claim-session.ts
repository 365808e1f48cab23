import { InvalidDataError } from '../base/errors.ts'
import { otherModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { evictOldest } from '../session/create.ts'
import type { CoreParts, Engine } from '../session/engine.ts'
import type { ImportRefusal } from '../session/events.ts'
import type { ImportAdmission, ImportClaim } from '../session/import-claims.ts'
import type { ForeignCredential, LiveForeignSession, SessionImporter } from '../session/importer.ts'
import { changeStart } from '../session/policy.ts'
import type { ClientInfo } from '../session/record.ts'
import { stateOf } from '../session/token-state.ts'
import { hashAnchor, hashSecret } from '../tokens/refresh-token.ts'
import type { ApplicationIdentity, RefreshKey } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import { claimOn, decideClaim, importedRecord, lifetimesOfImport } from './decide.ts'
import { importedHandle, subjectOf } from './derive.ts'
import type { Negatives } from './negatives.ts'
import { judgeCredential } from './old-system.ts'
import type { ImportPlan } from './plan.ts'
import { writeImported } from './write-data.ts'

/** What a take-over needs. */
export interface TakeOverParts<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
> {
  readonly core: CoreParts<Payload, Info, Style, Claims>
  readonly application: ApplicationIdentity
  readonly plan: ImportPlan
  readonly negatives: Negatives
}

/** One credential of a request. */
export interface Presented {
  readonly importer: SessionImporter
  readonly credential: ForeignCredential
  readonly subject: string
  readonly handle: SessionHandle
}

/** A claim whose session may be refreshed, or the reason why not. */
export type Claimed =
  | { readonly kind: 'claimed'; readonly claim: ImportClaim }
  | { readonly kind: 'left' }
  | Refused

/** Why a credential is refused. */
export interface Refused extends Pick<ImportRefusal, 'reason'> {
  readonly kind: 'refused'
  /** The session that was taken over; null if none was. */
  readonly handle: SessionHandle | null
}

/** The credential, with the handle that its session has, or would have. */
export async function presentedOf<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { core, application }: TakeOverParts<Payload, Info, Style, Claims>,
  importer: SessionImporter,
  credential: ForeignCredential,
): Promise<Presented> {
  const subject = subjectOf(importer.source, credential.key)
  const handle = await importedHandle(core.crypto, application, credential.mode, subject)
  return { importer, credential, subject, handle }
}

/** Finds the claim on a session, or adds it with the session. */
export async function claimSession<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  presented: Presented,
  client: ClientInfo,
): Promise<Claimed> {
  const { negatives, plan } = parts
  const { importer, credential, handle } = presented
  const known = await knownClaim(parts, presented)
  if (known !== null) return known
  if (negatives.has(handle)) return refused('invalid')
  const verdict = await judgeCredential(importer, credential, plan.sourceTimeout)
  if (verdict.kind === 'anonymous') return left
  if (verdict.kind !== 'alive') {
    // A request that was faster may have taken the session over, and retired it, since the claim was looked for.
    const late = await knownClaim(parts, presented)
    if (late !== null) return late
    // Another credential of the session may be valid.
    if (verdict.kind === 'reused') return refused('reused')
    negatives.add(handle)
    return refused('invalid')
  }
  if (!await plan.select(verdict)) return left
  const admission = await admissionOf(parts, presented, verdict, client)
  return admission === null ? refused('unwritable') : admit(parts, presented, admission)
}

/** Adds claim and session, unless they are there already. */
async function admit<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  { importer, handle }: Presented,
  admission: ImportAdmission,
): Promise<Claimed> {
  const { core } = parts
  const { claim, outcome } = await core.store.admitImport(admission)
  if (outcome === 'refused') return refused('revoked', handle)
  // The same credential has arrived in a cookie and as a bearer token at the same time. Which of the two requests looks
  // first is unknown, so each that sees the other gives up: the user logs in again, and there are never two sessions.
  const other = otherModeOf(handle)
  if (await core.store.findImport(other) !== null && await giveUp(core, handle)) return refused('replayed', other)
  if (outcome === 'admitted') await announce(parts, importer, admission)
  return { kind: 'claimed', claim }
}

/**
 * Removes the session, unless a faster request has got its tokens: that one looked before the other claim was written,
 * so the other request gives up. Returns whether the session has ended.
 */
async function giveUp({ store, now }: Pick<Engine, 'store' | 'now'>, handle: SessionHandle): Promise<boolean> {
  const record = await store.find(handle)
  if (record === null || record.generation > 0) return record === null
  const { handles } = await store.removeUnchanged(handle, stateOf(record), changeStart(await now()))
  return handles.length > 0 || await store.find(handle) === null
}

/**
 * What the claim on the session says; null if there is none. A session has one mode of transfer: if it was taken over
 * from a cookie, the same credential is refused as a bearer token, and the other way round (IMP-04).
 */
async function knownClaim<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  presented: Presented,
): Promise<Claimed | null> {
  const { store } = parts.core
  const { importer, credential, handle } = presented
  const claim = await store.findImport(handle) ?? await store.findImport(otherModeOf(handle))
  if (claim === null) return null
  const record = await store.find(claim.handle)
  const decision = decideClaim(claim, handle, record, importer.matches?.(credential, claim.proof) ?? true)
  switch (decision) {
    case 'reused':
    case 'replayed':
    case 'ended':
      return refused(decision, claim.handle)
    case 'settle':
      return record === null ? refused('ended', handle) : admit(parts, presented, { claim, record })
    case 'refresh':
      return { kind: 'claimed', claim }
  }
}

/** The claim and the session to add; null if the session's data does not fit. */
async function admissionOf<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { core, plan }: TakeOverParts<Payload, Info, Style, Claims>,
  presented: Presented,
  session: LiveForeignSession,
  client: ClientInfo,
): Promise<ImportAdmission | null> {
  const { importer: { source }, handle } = presented
  const now: EpochMilliseconds = await core.now()
  const data = await writeImported(core, session).catch((error: unknown) => {
    if (error instanceof InvalidDataError) return null
    throw error
  })
  if (data === null) return null
  const key = (await core.keys.current()).refreshKeyAt(now)
  const { anchor, secret } = await firstSecrets(key, presented)
  const record = importedRecord(session, {
    handle,
    refreshHash: await hashSecret(core.crypto, secret),
    anchorHash: await hashAnchor(core.crypto, anchor),
    refreshKeyId: key.kid,
    ...data,
    client,
    lifetimes: lifetimesOfImport(session, core.policy, now),
  }, now)
  return { claim: claimOn(session, { handle, source, kid: key.kid }, plan, now), record }
}

async function announce<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { core }: TakeOverParts<Payload, Info, Style, Claims>,
  { source }: SessionImporter,
  { record: { userId, tenantId, handle } }: ImportAdmission,
): Promise<void> {
  const { maxSessionsPerUser } = core.policy
  if (maxSessionsPerUser !== null) await evictOldest(core, { userId, tenantId }, maxSessionsPerUser)
  core.emit('onSessionImported', { userId, handle, source })
}

/** Anchor and secret of the first refresh token. The key is that of the claim: others would give other tokens. */
export async function firstSecrets(
  key: RefreshKey,
  { handle, subject }: Presented,
): Promise<{ readonly anchor: string; readonly secret: string }> {
  return {
    anchor: await key.importedSecret('anchor', handle, subject),
    secret: await key.importedSecret('secret', handle, subject),
  }
}

const left = { kind: 'left' } as const

/** Refuses a credential. `handle`: the session that was taken over, if one was. */
export function refused(reason: ImportRefusal['reason'], handle: SessionHandle | null = null): Refused {
  return { kind: 'refused', reason, handle }
}
