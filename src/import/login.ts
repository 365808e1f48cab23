import { isJsonObject } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { LiveForeignSession } from '../session/importer.ts'

/** What the application says about a session of the old system that belongs to a logged-in user. */
export interface ForeignLogin extends Pick<LiveForeignSession, 'userId' | 'tenantId' | 'jwtPayload' | 'sessionInfo'> {
  /**
   * When the user logged in, in milliseconds, if the session says so. Default: unknown. Pages that require a recent
   * login then ask for one.
   */
  readonly authenticatedAt?: EpochMilliseconds | null
}

/**
 * Finds the user of a session; null if nobody is logged in. Return only what a session of Keyturn shall keep: name the
 * members one by one.
 */
export type FindLogin = (data: JsonObject) => ForeignLogin | null | Promise<ForeignLogin | null>

/** Finds the user where Passport and most applications keep it: `passport.user`, `userId`, `user.id` or `user`. */
export function commonLogin(data: JsonObject): ForeignLogin | null {
  const passport = data['passport']
  const candidates = [isJsonObject(passport) ? passport['user'] : undefined, data['userId'], data['user']]
  for (const candidate of candidates) {
    const userId = idOf(candidate) ?? (isJsonObject(candidate) ? idOf(candidate['id']) : null)
    if (userId !== null) return { userId }
  }
  return null
}

/** A user id: a text that is not empty, or a number as text. */
export function idOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

/** A live session, from what the application and the system say about it. */
export function liveSession(
  login: ForeignLogin,
  session: Pick<LiveForeignSession, 'persistent'> & Partial<LiveForeignSession>,
): LiveForeignSession {
  const { authenticatedAt = null, ...rest } = login
  return {
    kind: 'alive',
    issuedAt: authenticatedAt,
    ...session,
    authenticatedAt: session.authenticatedAt ?? authenticatedAt,
    ...rest,
  }
}
