import { isJsonObject } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import { LAST_SECOND } from '../base/time.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { Blacklisting } from '../session/core.ts'
import { CLOCK_TOLERANCE } from '../session/policy.ts'
import { isInstant } from '../tokens/access-claims.ts'
import type { InspectedPart, Inspection, Judgement, KeyRow, Verdict } from './api-types.ts'

/** What is known of a text that was pasted as an access token. */
export interface TokenFacts {
  readonly now: EpochMilliseconds
  /** Decoded, without any check; null if that is not possible. */
  readonly header: JsonObject | null
  readonly claims: JsonObject | null
  /** Whether it has the form of a refresh token. */
  readonly isRefreshToken: boolean
  /** The format that has the token's `typ`; null: none. */
  readonly format: { readonly typ: string; readonly issuer: string | null; readonly audience: string | null } | null
  /** The values of `typ` that are accepted. */
  readonly types: readonly string[]
  /** The key that the header names; null if this server does not have it. */
  readonly key: Pick<KeyRow, 'state' | 'algorithm'> | null
  /** Whether the signature is right; null without a key. */
  readonly isSigned: boolean | null
  /** Whether signature and claims are those of an access token of this server, expired or not. */
  readonly isIdentified: boolean
  /** A token is accepted for so long after its `iat`, even if its `exp` is later. */
  readonly maxLifetime: Milliseconds
  /** The session in the store. `unread`: it names none, or is not to be trusted, or the store does not answer. */
  readonly session: 'active' | 'ended' | 'outdated' | 'unread'
  readonly storeAnswers: boolean
  readonly blacklisting: Blacklisting
}

/** Members by which a token would choose its own key or change the meaning of others (TOK-04, TOK-05). */
const forbidden = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'crit', 'b64', 'zip', 'enc']

/** The verdict on each part of a token, and on the whole. Pure. */
export function judgeToken(facts: TokenFacts): Pick<Inspection, 'verdict' | 'sentence' | 'parts'> {
  const parts = {
    header: judgeHeader(facts), key: judgeKey(facts), signature: judgeSignature(facts), claims: judgeClaims(facts),
    lifetime: judgeLifetime(facts), revocation: judgeRevocation(facts),
  }
  return { ...judgeWhole(facts, parts), parts }
}

function judgeHeader({ header, format, types, key, isRefreshToken }: TokenFacts): Judgement {
  if (isRefreshToken) {
    return bad(
      'This is a refresh token. It belongs to its client alone; if you should not have it, revoke the session.',
    )
  }
  if (header === null) return bad('This is no JWT: it has no header of base64url and JSON before the first dot.')
  const brought = forbidden.find(name => Object.hasOwn(header, name))
  if (brought !== undefined) {
    return bad(`The header has "${brought}": Keyturn rejects tokens that bring their own rules or keys.`)
  }
  if (format === null) {
    return bad(`The type is ${shown(header['typ'])}; access tokens of this server have ${types.join(' or ')}.`)
  }
  if (key !== null && header['alg'] !== key.algorithm) {
    return bad(`The header names the algorithm ${shown(header['alg'])}, but the key has ${key.algorithm}.`)
  }
  return good(`The type is "${format.typ}" and the algorithm ${shown(header['alg'])}.`)
}

function judgeKey({ header, key }: TokenFacts): Judgement {
  if (header === null) return unknown('No key is named.')
  if (typeof header['kid'] !== 'string') return bad('The header names no key: "kid" is missing.')
  if (key === null) {
    return bad('This server has no key of this id: it was removed, or another application signed the token.')
  }
  if (key.state === 'previous') return good('The key is a previous one: it verifies older tokens and signs none.')
  return good(
    key.state === 'current' ? 'The key is the current one.' : 'The key is published, and signs from its time on.',
  )
}

function judgeSignature({ isSigned }: TokenFacts): Judgement {
  if (isSigned === null) return unknown('It cannot be checked without the key.')
  return isSigned ? good('The signature is right: nobody has changed the token.')
    : bad('The signature is wrong: the token was changed, or somebody else has made it.')
}

function judgeClaims({ claims, isSigned, isIdentified, format }: TokenFacts): Judgement {
  if (claims === null) return bad('The claims cannot be decoded: they must be a JSON object in base64url.')
  if (isSigned !== true || format === null) {
    return unknown('They are not to be trusted without a right header and signature.')
  }
  if (isIdentified) return good('All claims are there, and those that are checked have the right values.')
  const { issuer, audience } = format
  if (issuer !== null && claims['iss'] !== issuer) {
    return bad(`The issuer is ${shown(claims['iss'])}; this server accepts only ${shown(issuer)}.`)
  }
  const named: readonly JsonValue[] = [claims['aud'] ?? []].flat()
  if (issuer !== null && (audience === null ? named.length > 0 : !named.includes(audience))) {
    const accepted = audience === null ? 'none' : shown(audience)
    return bad(`The audience is ${shown(claims['aud'])}; this server accepts only ${accepted}.`)
  }
  return bad('A claim is missing or has another type, or the token is of another application or from the future.')
}

function judgeLifetime({ claims, now, maxLifetime }: TokenFacts): Judgement {
  const { iat, exp } = claims ?? {}
  if (!isInstant(iat) || !isInstant(exp)) {
    return unknown('The token does not say when it was issued and when it expires.')
  }
  if (iat * 1000 > now + CLOCK_TOLERANCE) return bad('It was issued in the future: compare the clocks of the servers.')
  const end = Math.min(exp * 1000, iat * 1000 + maxLifetime)
  if (end > now) return good(`It expires in ${spanOf(end - now)}.`)
  return bad(`It expired ${spanOf(now - end)} ago. The client refreshes its session, and gets another one.`)
}

function judgeRevocation({ session, storeAnswers, isSigned }: TokenFacts): Judgement {
  switch (session) {
    case 'active': return good('Its session is active.')
    case 'ended': return bad('Its session was revoked, or has expired.')
    case 'outdated': return warning('Its session is active, but the JWT payload was updated since: the next request '
      + 'gets a new token.')
    case 'unread': return isSigned === true && !storeAnswers
      ? unknown('The store does not answer, so this is not known.')
      : unknown('The session is not looked up, because the token is not to be trusted.')
  }
}

function judgeWhole(
  { blacklisting, isRefreshToken }: TokenFacts,
  parts: Inspection['parts'],
): Pick<Inspection, 'verdict' | 'sentence'> {
  const order: readonly InspectedPart[] = ['header', 'key', 'signature', 'claims', 'lifetime', 'revocation']
  const failed = order.filter(part => parts[part].verdict === 'bad')
  const [first] = failed
  if (isRefreshToken) return { verdict: 'bad', sentence: 'This is no access token.' }
  if (first === 'revocation' && blacklisting === 'off') {
    return {
      verdict: 'warning', sentence: 'This server accepts the token until it expires, although its session has ended: '
        + '`accessTokenBlacklisting` is "off".',
    }
  }
  if (first !== undefined) return { verdict: 'bad', sentence: `This server rejects the token: ${names[first]}.` }
  if (order.some(part => parts[part].verdict === 'unknown')) {
    return { verdict: 'unknown', sentence: 'Not everything could be checked.' }
  }
  return { verdict: parts.revocation.verdict, sentence: 'This server accepts the token now.' }
}

const names: Readonly<Record<InspectedPart, string>> = {
  header: 'the header is wrong', key: 'its key is unknown', signature: 'the signature is wrong',
  claims: 'its claims are wrong', lifetime: 'it has expired or is not valid yet', revocation: 'its session has ended',
}

/** What a claim means, in the order in which they are shown. */
const meanings: readonly (readonly [claim: string, meaning: string])[] = [
  ['sub', 'The user.'], ['sid', 'The handle of the session.'], ['iss', 'Who issued the token.'],
  ['aud', 'Whom it is for.'], ['iat', 'When it was issued.'], ['exp', 'When it expires.'],
  ['nbf', 'Before this time it is not valid.'], ['auth_time', 'When the user last proved who they are.'],
  ['jti', 'The id of this token.'],
  ['keyturn', 'Members of Keyturn: tenant, place of the refresh token, version of the payload.'],
]

/** The claims of the library among those of a token, with what they mean. Pure. */
export function explainClaims(claims: JsonObject | null): Inspection['explained'] {
  return meanings.filter(([name]) => claims !== null && Object.hasOwn(claims, name)).map(([claim, meaning]) => {
    const value = claims?.[claim]
    const isTime = ['iat', 'exp', 'nbf', 'auth_time'].includes(claim) && isInstant(value)
    return { claim, meaning, at: isTime && value <= LAST_SECOND ? value * 1000 : null }
  })
}

function spanOf(span: Milliseconds): string {
  const units = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]] as const
  const [name, length] = units.find(([, least]) => span >= least) ?? ['second', 1000]
  const count = Math.max(1, Math.floor(span / length))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

/** A value of a token in a sentence. */
function shown(value: JsonValue | undefined): string {
  if (value === undefined) return 'missing'
  return isJsonObject(value) || Array.isArray(value) ? 'a list or an object' : JSON.stringify(value).slice(0, 120)
}

const judgement = (verdict: Verdict) => (sentence: string): Judgement => ({ verdict, sentence })
const good = judgement('good')
const warning = judgement('warning')
const bad = judgement('bad')
const unknown = judgement('unknown')
