import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { IdentifiedAccessToken } from '../session/core.ts'
import { activeBounds, isActive } from '../session/policy.ts'
import type { SigningKey } from '../tokens/key-ring.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { TokenClaims } from '../tokens/token-format.ts'
import type { Inspection } from './api-types.ts'
import { explainClaims, judgeToken } from './judge-token.ts'
import type { TokenFacts } from './judge-token.ts'
import type { ConsoleSubject } from './subject.ts'

/**
 * Inspects a text that an operator has pasted as an access token. Nothing of it is stored, logged or cached, and it
 * counts as no use of the token: nothing is confirmed, and no metric changes.
 */
export async function inspectToken(subject: ConsoleSubject, pasted: string): Promise<Inspection> {
  const { engine, formats } = subject
  const { crypto, policy, clock } = engine
  const text = pasted.trim().replace(/^Bearer /i, '')
  const [head = '', body = '', signature, ...others] = text.split('.')
  const isJwt = signature !== undefined && others.length === 0
  const header = isJwt ? decode(crypto.decodeText(head)) : null
  const claims = isJwt ? decode(crypto.decodeText(body)) : null
  const format = formats.find(({ typ }) => typ === header?.['typ']) ?? null
  const key = await findKey(subject, header)
  const isSigned = key === null ? null : await key.verify(`${head}.${body}`, signature ?? '') === true
  const identified = isSigned === true && format !== null ? await format.identify(text) : null
  const now = clock()
  const found = identified === null ? { session: 'unread', storeAnswers: true, userId: null } as const
    : await findSession(subject, identified)
  const facts: TokenFacts = {
    now, header, claims, format, isSigned,
    isRefreshToken: parseRefreshToken(text) !== null,
    types: formats.map(({ typ }) => JSON.stringify(typ)),
    key: key === null ? null : { algorithm: key.algorithm, state: await stateOf(subject, key) },
    isIdentified: identified !== null,
    maxLifetime: policy.accessTokenLifetime,
    session: found.session,
    storeAnswers: found.storeAnswers,
    blacklisting: policy.blacklisting,
  }
  return {
    ...judgeToken(facts), header, claims,
    handle: identified?.claims.sid ?? handleIn(claims), userId: found.userId,
    explained: explainClaims(claims),
  }
}

/** The key that the header names, also one that another process has just added. */
async function findKey({ engine: { keys } }: ConsoleSubject, header: JsonObject | null): Promise<SigningKey | null> {
  const kid = header?.['kid']
  if (typeof kid !== 'string' || kid.length > 128) return null
  return (await keys.current()).signingKey(kid) ?? (await keys.reloadForUnknownKid()).signingKey(kid)
}

async function stateOf(
  { engine: { keys, clock } }: ConsoleSubject,
  { kid, purpose, activeFrom }: SigningKey,
): Promise<'next' | 'current' | 'previous'> {
  const now = clock()
  if (activeFrom > now) return 'next'
  return (await keys.current()).signingKeyAt(purpose, now).kid === kid ? 'current' : 'previous'
}

async function findSession(
  { engine }: ConsoleSubject,
  { claims }: IdentifiedAccessToken<TokenClaims>,
): Promise<Pick<TokenFacts, 'session' | 'storeAnswers'> & { readonly userId: string | null }> {
  const { store, now, policy } = engine
  try {
    const record = await store.find(claims.sid)
    const isEnded = record === null || !isActive(record, activeBounds(await now(), policy))
    const session = isEnded ? 'ended' : record.payloadVersion > claims.pv ? 'outdated' : 'active'
    return { session, storeAnswers: true, userId: record?.userId ?? claims.sub }
  } catch {
    return { session: 'unread', storeAnswers: false, userId: claims.sub }
  }
}

function decode(text: string | null): JsonObject | null {
  return text === null ? null : parseJsonObject(text)
}

function handleIn(claims: JsonObject | null): SessionHandle | null {
  const sid = claims?.['sid']
  return typeof sid === 'string' ? parseHandle(sid) : null
}
