import { crypto } from '#crypto'
import { defaultCookieNames } from './base/cookie-names.ts'
import { GeneralError } from './base/errors.ts'
import { toMilliseconds } from './base/duration.ts'
import type { JsonObject } from './base/json.ts'
import { checkOptions } from './base/options.ts'
import type { Clock } from './base/time.ts'
import { startTimer } from './base/timer.ts'
import { within } from './base/within.ts'
import { acceptData } from './session/application-data.ts'
import { createChangeView } from './session/change-view.ts'
import type { VerifyOutcome } from './session/core.ts'
import { readyRules } from './session/ready-options.ts'
import type { ReadyOptions } from './session/ready-options.ts'
import { DEFAULT_APPLICATION, decodeSessionHandleUnverified, readAccessToken } from './tokens/access-token.ts'
import type { AccessTokenReading, VerificationKeys } from './tokens/access-token.ts'
import { createVerificationKeys } from './tokens/public-keys.ts'
import { createRemoteKeys } from './tokens/remote-keys.ts'
import type { RemoteKeys } from './tokens/remote-keys.ts'
import { verifyAccessTokenOf } from './transport/credentials.ts'
import type { SessionReading } from './transport/get-session.ts'
import { VerifiedSession } from './transport/session-object.ts'
import { verifierRules } from './verifier-options.ts'
import type { VerifierOptions } from './verifier-options.ts'

export type { VerifierOptions } from './verifier-options.ts'
export type { ChangeSource } from './session/change-view.ts'
export type { ReadyOptions } from './session/ready-options.ts'
export type { SessionReading } from './transport/get-session.ts'
export type { ReadonlySession } from './transport/session.ts'
export type { JwkSet, PublicJwk } from './tokens/jwk.ts'

/** Verifies access tokens without a store and without Node: at the edge, or in another service. */
export interface Verifier<Payload extends object> {
  /**
   * Verifies an access token.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the keys or the feed cannot be read.
   */
  verify(accessToken: string): Promise<SessionReading<Payload>>
  /**
   * Finds the access token of a request, as the server does, and verifies it. Does not check the origin: protect
   * requests that change something against CSRF yourself.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the keys or the feed cannot be read.
   */
  readSession(request: { readonly headers: Pick<Headers, 'get'> }): Promise<SessionReading<Payload>>
  /**
   * Reads the key set and the feed ahead of the first request. Without it, the first verification does so.
   * @throws GeneralError (`STORE_UNAVAILABLE`) whose `reason` is `keys-unreachable` or `feed-unreachable`.
   */
  ready(options?: ReadyOptions): Promise<void>
}

/** The timeout of a request for the key set, in milliseconds. */
const FETCH_LIMIT = 5000

/**
 * Creates a verifier. Fetches nothing before the first call.
 * @throws GeneralError (`MISUSE`) that names an invalid option, its value and what it must be; or if more than one of
 * `jwksUrl`, `jwks` and `publicKey` is set.
 * @example
 * const sessions = createVerifier({ issuer: 'https://app.example.com/auth' })
 * const reading = await sessions.readSession(request)
 */
export function createVerifier<Payload extends object = JsonObject>(options: VerifierOptions): Verifier<Payload> {
  checkOptions('createVerifier', verifierRules, options)
  const { issuer, audience = null, application = DEFAULT_APPLICATION, feed, clock = Date.now } = options
  const {
    pollInterval = verifierRules.pollInterval.defaultValue,
    maxStaleness = verifierRules.maxStaleness.defaultValue,
    maxTokenAge = verifierRules.maxTokenAge.defaultValue,
  } = options
  const keys = createKeys(options, clock)
  const changes = feed === undefined ? null : createChangeView({
    source: feed,
    clock,
    pollInterval: toMilliseconds(pollInterval),
    maxStaleness: toMilliseconds(maxStaleness),
  })
  const name = options.accessTokenName ?? defaultCookieNames(new URL(issuer)).accessToken
  const policy = { cookies: { accessToken: { attributes: { name } } } }
  const maxLifetime = toMilliseconds(maxTokenAge)

  async function read(text: string, ring: VerificationKeys): Promise<AccessTokenReading> {
    return readAccessToken(text, ring, { now: clock(), issuer, audience, application, maxLifetime })
  }

  async function judge(text: string): Promise<VerifyOutcome<Payload>> {
    let reading = await read(text, await keys.current())
    if (reading.kind === 'unknown-key') reading = await read(text, await keys.reloadForUnknownKid())
    if (reading.kind === 'unrecognized') return { kind: 'unrecognized' }
    if (reading.kind !== 'valid') return { kind: 'refresh-required', reason: reading.kind }
    const { claims, payload } = reading
    const known = await changes?.current()
    if (known?.isRevoked(claims.sid) === true) return { kind: 'revoked', handle: claims.sid }
    // The claims are out of date. The server would issue a new access token; here, the client must refresh.
    if (known !== undefined && known.payloadVersion(claims.sid) > claims.pv) {
      return { kind: 'refresh-required', reason: 'expired' }
    }
    return { kind: 'active', claims, payload: acceptData<Payload>('JWT payload', payload), reissued: null }
  }

  const core = { verify: judge, decodeHandleUnverified: (text: string) => decodeSessionHandleUnverified(text, crypto) }

  return {
    verify: async accessToken => readingOf(await judge(accessToken)),
    async ready(given = {}) {
      checkOptions('ready', readyRules, given)
      const { timeout = readyRules.timeout.defaultValue, signal } = given
      signal?.throwIfAborted()
      const limit = toMilliseconds(timeout)
      let isKeySetRead = false
      const reading = keys.current().then(async () => {
        isKeySetRead = true
        await changes?.current()
      })
      await within(reading, {
        limit, signal,
        schedule: (task, delay) => startTimer(task, delay).cancel,
        late: () =>
          new GeneralError('STORE_UNAVAILABLE', `the server of the sessions did not answer within ${limit} ms`, {
            reason: isKeySetRead ? 'feed-unreachable' : 'keys-unreachable',
        }),
      })
    },
    async readSession({ headers }) {
      const presented = await verifyAccessTokenOf(core, policy, { header: header => headers.get(header) }, {}, true)
      switch (presented.kind) {
        case 'judged': return readingOf(presented.outcome)
        case 'ambiguous': return { kind: 'needs-refresh' }
        case 'none':
        case 'cross-site':
        case 'wrong-channel': return { kind: 'none' }
      }
    },
  }
}

function readingOf<Payload extends object>(outcome: VerifyOutcome<Payload>): SessionReading<Payload> {
  switch (outcome.kind) {
    case 'active': return { kind: 'active', session: new VerifiedSession(outcome.claims, outcome.payload) }
    case 'refresh-required': return { kind: 'needs-refresh' }
    case 'revoked':
    case 'unrecognized': return { kind: 'none' }
  }
}

function createKeys(options: VerifierOptions, clock: Clock): RemoteKeys {
  const { issuer, jwksUrl, jwks, publicKey } = options
  const given = Object.entries({ jwksUrl, jwks, publicKey }).filter(([, source]) => source !== undefined)
  if (given.length > 1) {
    throw new GeneralError('MISUSE', 'set only one of jwksUrl, jwks and publicKey; '
      + `received ${given.map(([name]) => name).join(' and ')}`)
  }
  const set = publicKey === undefined ? jwks : { keys: [publicKey] }
  if (set !== undefined) {
    let prepared: VerificationKeys | null = null
    const current = async (): Promise<VerificationKeys> => prepared ??= await createVerificationKeys(crypto, set)
    return { current, reloadForUnknownKid: current }
  }
  const url = jwksUrl ?? `${issuer}/jwt/jwks.json`
  // With `manual`, a redirect fails as a response that is not `ok`. Cloudflare Workers do not support `error`.
  const get = options.fetch ?? ((address: string): Promise<Response> => (
    fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(FETCH_LIMIT) })
  ))
  return createRemoteKeys({ crypto, clock, read: () => readKeySet(get, url) })
}

async function readKeySet(get: (url: string) => Promise<Response>, url: string): Promise<unknown> {
  const response = await get(url)
  if (!response.ok) {
    throw new GeneralError('STORE_UNAVAILABLE',
      `the request for the key set failed with HTTP status ${response.status}`)
  }
  return response.json()
}
