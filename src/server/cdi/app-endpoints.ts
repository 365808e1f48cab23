import { createHash } from 'node:crypto'
import { toEpochSeconds } from '../../base/time.ts'
import { requireCdiUserId } from '../../session/identifiers.ts'
import type { SigningPurpose } from '../../tokens/key-store.ts'
import { PUBLICATION_LEAD } from '../../tokens/plan-rotation.ts'
import { replyJson, replyText } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { fail, queryText } from './fields.ts'
import { protocolVersions } from './protocol.ts'
import { LONGEST_VALIDITY } from './schemas.ts'
import type { CdiEndpoint, CdiHandler, CdiRequest } from './request.ts'

/** The path of the public keys that SDKs verify access tokens with. */
const JWKS_PATH = '/.well-known/jwks.json'

/** The path, below the issuer, of the public keys for access tokens in the library's format. */
const NATIVE_JWKS_PATH = '/jwt/jwks.json'

/** Paths that need no API key, whatever version of CDI the request announces. */
export const publicPaths: ReadonlySet<string> = new Set([JWKS_PATH, NATIVE_JWKS_PATH])

/** The endpoints of an application, by path. */
export const appEndpoints: Readonly<Record<string, CdiEndpoint>> = {
  '/apiversion': { publicOnlySince: '5.0', methods: { GET: async () => replyJson({ versions: protocolVersions }) } },
  [JWKS_PATH]: { publicOnlySince: null, methods: { GET: keySet('core-dynamic', 'core-static') } },
  [NATIVE_JWKS_PATH]: { publicOnlySince: null, methods: { GET: keySet('access') } },
  '/recipe/jwt/jwks': { publicOnlySince: '5.0', methods: { GET: publicKeysWithStatus } },
  '/recipe/jwt': { publicOnlySince: '5.0', methods: { POST: signJwt } },
  '/user/id': { publicOnlySince: '5.0', methods: { GET: user } },
}

/** How long verifiers may cache the keys: half of the time between a key's publication and its first use (HDR-02). */
const MAX_AGE_SECONDS = 1800

/** A key set that may be cached, at most until the next key of its first purpose is published. */
function keySet(...purposes: readonly [SigningPurpose, ...SigningPurpose[]]): CdiHandler {
  return async ({ app }) => {
    const ring = await app.keys.current()
    const newest = ring.signingKeyAt(purposes[0], Number.POSITIVE_INFINITY)
    const nextKeyAt = newest.activeFrom + app.policy.keyRotationInterval - PUBLICATION_LEAD
    const maxAge = Math.max(1, Math.min(MAX_AGE_SECONDS, Math.floor((nextKeyAt - app.clock()) / 1000)))
    const reply = replyJson(ring.jwks(...purposes))
    const etag = `"${createHash('sha256').update(reply.body).digest('base64url').slice(0, 22)}"`
    const caching = `public, max-age=${maxAge}, must-revalidate`
    return { ...reply, headers: { ...reply.headers, 'cache-control': caching, etag } }
  }
}

async function publicKeysWithStatus({ app }: CdiRequest): Promise<Reply> {
  return replyJson({ status: 'OK', ...await app.core.getJwks() })
}

async function signJwt({ app, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const algorithm = fields.text('algorithm')
  const issuer = fields.text('jwksDomain')
  const payload = fields.object('payload')
  const validity = fields.number('validity')
  const isStatic = fields.has('useStaticSigningKey') ? fields.flag('useStaticSigningKey') : true
  if (validity <= 0) fail('validity must be greater than or equal to 0')
  const now = app.clock()
  const iat = toEpochSeconds(now)
  const exp = iat + Math.floor(validity)
  if (exp <= iat || validity > LONGEST_VALIDITY) {
    fail(`validity must be a number of seconds from 1 to ${LONGEST_VALIDITY}`)
  }
  if (algorithm.toUpperCase() !== 'RS256') return replyJson({ status: 'UNSUPPORTED_ALGORITHM_ERROR' })
  const claims = { iss: issuer, ...payload, exp, iat }
  const key = (await app.keys.current()).signingKeyAt(isStatic ? 'core-static' : 'core-dynamic', now)
  return replyJson({ status: 'OK', jwt: await key.sign(JSON.stringify(claims)) })
}

/** Users belong to the application: the server knows none. */
async function user({ query }: CdiRequest): Promise<Reply> {
  requireCdiUserId(queryText(query, 'userId'))
  return replyJson({ status: 'UNKNOWN_USER_ID_ERROR' })
}

/** The methods of `/` and `/hello`. */
export const helloMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']

/** The response of `/` and `/hello`. */
export const hello: Reply = replyText(200, 'Hello')
