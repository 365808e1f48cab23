// The verifier: access tokens, without a store.
import type { Duration } from 'keyturn'
import { createVerifier } from 'keyturn/verify'
import type {
  ChangeSource, JwkSet, PublicJwk, ReadonlySession, ReadyOptions, SessionReading, Verifier, VerifierOptions,
} from 'keyturn/verify'
import type { Claims } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

const issuer = 'https://app.example.com/auth'

export async function read(request: Request, token: string): Promise<void> {
  const verifier = createVerifier<Claims>({ issuer })
  typeOf(verifier).is<Verifier<Claims>>()
  typeOf(verifier.verify).is<(accessToken: string) => Promise<SessionReading<Claims>>>()
  typeOf(verifier.ready).is<(options?: ReadyOptions) => Promise<void>>()
  typeOf(verifier.readSession)
    .is<(request: { readonly headers: Pick<Headers, 'get'> }) => Promise<SessionReading<Claims>>>()
  await verifier.verify(token)
  const reading = await verifier.readSession(request)
  // @ts-expect-error: there may be no session
  reading.session.getUserId()
  if (reading.kind !== 'active') return
  typeOf(reading.session).is<ReadonlySession<Claims>>()
  typeOf(reading.session.getJwtPayload().role).is<'reader' | 'admin'>()
  // @ts-expect-error: what was only read cannot be written
  await reading.session.revokeSession()
  // @ts-expect-error: not the text of a header
  await verifier.readSession('Bearer token')
}

export function untyped(verifier: Verifier<{ [member: string]: string }>): void {
  // @ts-expect-error: which claims, the application says
  const typed: Verifier<Claims> = verifier
  void typed
}

export type Options = Expect<Equal<VerifierOptions, {
  readonly issuer: string
  readonly jwksUrl?: string
  readonly jwks?: JwkSet
  readonly publicKey?: PublicJwk
  readonly audience?: string
  readonly application?: string
  readonly feed?: ChangeSource
  readonly pollInterval?: Duration
  readonly maxStaleness?: Duration
  readonly maxTokenAge?: Duration
  readonly accessTokenName?: string
  readonly fetch?: (url: string) => Promise<Response>
  readonly clock?: () => number
}>>

export function wrong(key: PublicJwk, feed: ChangeSource): void {
  createVerifier({ issuer, publicKey: key, feed })
  typeOf(key.alg).is<'ES256' | 'EdDSA' | 'RS256' | 'HS256'>()
  typeOf(key.use).is<'sig'>()
  // @ts-expect-error: whose tokens
  createVerifier({})
  // @ts-expect-error: a key set holds a list
  createVerifier({ issuer, jwks: { keys: key } })
  // @ts-expect-error: a private member is no part of a public key
  createVerifier({ issuer, publicKey: { kty: 'EC', kid: '1', alg: 'ES256', use: 'sig', d: 'secret' } })
  // @ts-expect-error: no such unit
  createVerifier({ issuer, maxTokenAge: '1 hour' })
}
