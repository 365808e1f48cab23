// The code of an application at the edge. The tests compile it against the packed package.
import { createSessions, isSessionError } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { openStoreByUrl, wrapStore } from 'keyturn/stores'
import type { SessionStore } from 'keyturn/stores'
import { createMemoryStore } from 'keyturn/stores/memory'
import { createFakeClock } from 'keyturn/testing'
import { frameworkContract, storeContract } from 'keyturn/testing/contracts'
import { createVerifier } from 'keyturn/verify'

type Claims = { role?: string }

const memory = createMemoryStore()
const store: SessionStore = wrapStore((_, call) => (...input) => call(memory, ...input))

const sessions = webSessions(createSessions<Claims, { note: string }>({
  origin: 'https://app.example.com', store, clock: createFakeClock(),
}))

export const me: (request: Request) => Promise<Response> = sessions.requireSession((_, session) => (
  Response.json({ userId: session.getUserId(), role: session.getJwtPayload().role })
))

// @ts-expect-error the claims do not have this member
export const wrong: unknown = sessions.requireSession((_, session) => Response.json(session.getJwtPayload().rank))

const verifier = createVerifier<Claims>({ issuer: 'https://app.example.com/auth' })

export async function userOf(request: Request): Promise<string | null> {
  try {
    const reading = await verifier.readSession(request)
    // @ts-expect-error a reading cannot be written
    if (reading.kind === 'active') void reading.session.revokeSession
    return reading.kind === 'active' ? reading.session.getUserId() : null
  } catch (error) {
    if (isSessionError(error)) return error.code
    throw error
  }
}

export const promises: number = frameworkContract.length + storeContract.length

export const opened: Promise<SessionStore> = openStoreByUrl('sqlite::memory:')
