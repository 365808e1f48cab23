import type { CoreParts } from '../session/engine.ts'
import type { EvidenceLog } from '../session/evidence-log.ts'
import type { ForeignCredential, SessionImporter, TakeOverOutcome } from '../session/importer.ts'
import { revoke } from '../session/manage.ts'
import type { ClientInfo } from '../session/record.ts'
import { refresh } from '../session/refresh.ts'
import type { RefreshKey } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import { claimSession, firstSecrets, presentedOf, refused } from './claim-session.ts'
import type { Claimed, TakeOverParts } from './claim-session.ts'
import { retire } from './old-system.ts'

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
  if (key === null) return refused('ended', handle)
  const { anchor, secret } = await firstSecrets(key, presented)
  const first = await key.write({ handle, generation: 0, branch: 0, anchor, secret })
  const quiet = plan.replay === 'revoke' ? core : withoutTheft(core)
  const outcome = await refresh(quiet, first, credential.mode, client, style)
  if (outcome.kind !== 'refreshed') {
    return refused(outcome.kind === 'unauthorized' && outcome.ended !== false ? 'ended' : 'replayed', handle)
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
    else if (claimed.reason === 'replayed' && claimed.handle !== null) await revoke(core, [claimed.handle], 'revoked')
  } catch (error) {
    core.emit('onBackgroundError', { during: 'import', error })
  }
  await retire(core, importer, credential, plan.sourceTimeout)
  return true
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
