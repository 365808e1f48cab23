// What login pages, CORS packages and listeners for misconfigurations use.
import { corsHeaders, createSessions, returnAddress, revocationStream } from 'keyturn'
import type { Misconfiguration, SessionEvents, TrustedOrigin } from 'keyturn'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export type Origins = Expect<Equal<TrustedOrigin, string | ((origin: string) => boolean)>>
export function trust(): void {
  const trustedOrigins = ['capacitor://localhost', (origin: string) => origin.endsWith('.preview.example')] as const
  createSessions({ origin: 'https://app.example.com', trustedOrigins })
  // @ts-expect-error: a promise is no answer
  createSessions({ origin: 'https://app.example.com', trustedOrigins: [async () => true] })
}

typeOf(returnAddress).is<(value: unknown, fallback?: string) => string>()
typeOf(revocationStream({ onRevoked: () => () => undefined, getExpiry: () => 0 })).is<ReadableStream<Uint8Array>>()
typeOf(corsHeaders).is<{ readonly allowedHeaders: string[]; readonly exposedHeaders: string[] }>()

export type Diagnosis = [
  Expect<Equal<Omit<Misconfiguration, 'code'>, {
    readonly message: string
    readonly received: string | null
    readonly configured: string | null
  }>>,
  Expect<Equal<Extract<Misconfiguration['code'], 'ROUTES_NOT_MOUNTED' | 'UNTRUSTED_ORIGIN'>,
    'ROUTES_NOT_MOUNTED' | 'UNTRUSTED_ORIGIN'>>,
  Expect<Equal<Parameters<NonNullable<SessionEvents['onMisconfiguration']>>, [misconfiguration: Misconfiguration]>>,
]
