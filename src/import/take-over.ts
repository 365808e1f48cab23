import { GeneralError, InvalidDataError, isSessionError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { within } from '../base/within.ts'
import { evictOldest } from '../session/create.ts'
import type { CoreParts } from '../session/engine.ts'
import type { Emit, ImportRefusal } from '../session/events.ts'
import type { EvidenceLog } from '../session/evidence-log.ts'
import type { ImportAdmission, ImportClaim } from '../session/import-claims.ts'
import type {
  ForeignCredential, ForeignVerdict, LiveForeignSession, SessionImporter, TakeOverOutcome,
} from '../session/importer.ts'
import type { ClientInfo } from '../session/record.ts'
import { revoke } from '../session/manage.ts'
import { refresh } from '../session/refresh.ts'
import { hashAnchor, hashSecret } from '../tokens/refresh-token.ts'
import type { ApplicationIdentity, RefreshKey } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import { claimOn, decideClaim, importedRecord, lifetimesOfImport } from './decide.ts'
import { importedHandle, subjectOf } from './derive.ts'
import type { Negatives } from './negatives.ts'
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
interface Presented {
  readonly importer: SessionImporter
  readonly credential: ForeignCredential
  readonly subject: string
  readonly handle: SessionHandle
}

/** A claim whose session may be refreshed, or the reason why not. */
type Claimed =
  | { readonly kind: 'claimed'; readonly claim: ImportClaim }
  | { readonly kind: 'left' }
  | { readonly kind: 'refused'; readonly reason: ImportRefusal['reason'] }

/**
 * Takes over the session of a credential. The credential stands for the session's first refresh token, which every
 * process derives alike. So the rules of rotation answer requests that come at once, repeated ones and late ones. A
 * claim, which is written with the session in one step and outlives it, keeps an ended session from coming back.
 */
export async function takeSessionOver<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  importer: SessionImporter,
  credential: ForeignCredential,
  client: ClientInfo,
  style: Style,
): Promise<
  Exclude<TakeOverOutcome<Payload, Claims>, { readonly kind: 'over' }> | Exclude<Claimed, { kind: 'claimed' }>
> {
  const { core, plan } = parts
  const presented = await presentedOf(parts, importer, credential)
  const { handle } = presented
  const claimed = await claimSession(parts, presented, client)
  if (claimed.kind !== 'claimed') return claimed
  const key = await keyOf(core, claimed.claim.kid)
  if (key === null) return refused('ended')
  const { anchor, secret } = await firstSecrets(key, presented)
  const first = await key.write({ handle, generation: 0, branch: 0, anchor, secret })
  const quiet = plan.replay === 'revoke' ? core : withoutTheft(core)
  const outcome = await refresh(quiet, first, credential.mode, client, style)
  if (outcome.kind !== 'refreshed') {
    return refused(outcome.kind === 'unauthorized' && outcome.ended !== false ? 'ended' : 'replayed')
  }
  if (plan.mode === 'retire') await retire(core, importer, credential, plan.sourceTimeout)
  return { kind: 'taken', issued: outcome.issued, clearings: [] }
}

/**
 * Ends the session of a credential for good: without a claim, a copy of the cookie could be taken over later. Failures
 * are reported, and do not fail the sign-out. Returns false for a session that is left alone.
 */
export async function endCredential<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  importer: SessionImporter,
  credential: ForeignCredential,
): Promise<boolean> {
  const { core, plan } = parts
  try {
    const presented = await presentedOf(parts, importer, credential)
    const claimed = await claimSession(parts, presented, { ip: null, userAgent: null })
    if (claimed.kind === 'left') return false
    if (claimed.kind === 'claimed') await revoke(core, [presented.handle], 'revoked')
  } catch (error) {
    core.emit('onBackgroundError', { during: 'import', error })
  }
  await retire(core, importer, credential, plan.sourceTimeout)
  return true
}

/** Deletes what the system keeps of the session. A failure is reported: the claim refuses the credential anyway. */
export async function retire(
  { emit }: { readonly emit: Emit },
  importer: SessionImporter,
  credential: ForeignCredential,
  limit: Milliseconds,
): Promise<void> {
  try {
    await timed(importer.retire?.(credential) ?? Promise.resolve(), limit, importer.source)
  } catch (error) {
    emit('onBackgroundError', { during: 'import', error })
  }
}

async function presentedOf<
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
async function claimSession<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  presented: Presented,
  client: ClientInfo,
): Promise<Claimed> {
  const { core: { store }, negatives, plan } = parts
  const { importer, credential, handle } = presented
  const known = await knownClaim(parts, presented)
  if (known !== null) return known
  if (negatives.has(handle)) return refused('invalid')
  const verdict = await judge(importer, credential, plan.sourceTimeout)
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
  if (admission === null) return refused('unwritable')
  const { claim, outcome } = await store.admitImport(admission)
  if (outcome === 'refused') return refused('revoked')
  if (outcome === 'admitted') await announce(parts, importer, admission)
  return { kind: 'claimed', claim }
}

/** What the claim on the session says; null if there is none. */
async function knownClaim<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { core: { store } }: TakeOverParts<Payload, Info, Style, Claims>,
  { importer, credential, handle }: Presented,
): Promise<Claimed | null> {
  const claim = await store.findImport(handle)
  if (claim === null) return null
  const record = await store.find(handle)
  switch (decideClaim(claim, record, importer.matches?.(credential, claim.proof) ?? true)) {
    case 'judge':
      return null
    case 'reused':
      return refused('reused')
    case 'ended':
      return refused('ended')
    case 'settle':
      if (record !== null && (await store.admitImport({ claim, record })).outcome === 'refused') {
        return refused('revoked')
      }
      return { kind: 'claimed', claim }
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
async function firstSecrets(
  key: RefreshKey,
  { handle, subject }: Presented,
): Promise<{ readonly anchor: string; readonly secret: string }> {
  return {
    anchor: await key.importedSecret('anchor', handle, subject),
    secret: await key.importedSecret('secret', handle, subject),
  }
}

async function keyOf(
  { keys }: Pick<CoreParts<object, object, TokenStyle, TokenClaims>, 'keys'>, kid: string,
): Promise<RefreshKey | null> {
  return (await keys.current()).refreshKey(kid) ?? (await keys.reloadForUnknownKid()).refreshKey(kid)
}

/** The same sessions, but what counts as theft of a refresh token only refuses the old credential (docs/import.md). */
function withoutTheft<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(core: CoreParts<Payload, Info, Style, Claims>): CoreParts<Payload, Info, Style, Claims> {
  const evidence: EvidenceLog = {
    report(name, event) {
      if (name === 'onRefreshShared') core.evidence.report(name, event)
    },
    close: () => core.evidence.close(),
  }
  return { ...core, policy: { ...core.policy, theft: 'observe' }, evidence }
}

async function judge(
  importer: SessionImporter,
  credential: ForeignCredential,
  limit: Milliseconds,
): Promise<ForeignVerdict> {
  try {
    return await timed(importer.judge(credential), limit, importer.source)
  } catch (cause) {
    if (isSessionError(cause)) throw cause
    throw unavailable(importer.source, cause)
  }
}

/** Waits for the old system, up to a limit. */
function timed<T>(work: Promise<T>, limit: Milliseconds, source: string): Promise<T> {
  return within(work, {
    limit,
    late: () => unavailable(source),
    schedule(task, delay) {
      const timer = setTimeout(task, delay)
      return () => clearTimeout(timer)
    },
  })
}

function unavailable(source: string, cause?: unknown): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `the sessions of ${source} could not be read, so none was taken over`, {
    cause,
  })
}

const left = { kind: 'left' } as const

function refused(reason: ImportRefusal['reason']): Extract<Claimed, { readonly kind: 'refused' }> {
  return { kind: 'refused', reason }
}
