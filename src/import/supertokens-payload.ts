import type { JsonObject } from '../base/json.ts'

/** The claims that SDKs of SuperTokens write themselves. Keyturn has its own. */
const added: ReadonlySet<string> = new Set([
  'sub', 'iat', 'exp', 'iss', 'aud', 'tId', 'rsub', 'sessionHandle', 'refreshTokenHash1', 'parentRefreshTokenHash1',
  'antiCsrfToken',
])

/** The application's claims and data of a session. Pure. */
export function commonPayload(
  { jwtPayload, sessionInfo }: { readonly jwtPayload: JsonObject; readonly sessionInfo: JsonObject },
): { readonly jwtPayload: JsonObject; readonly sessionInfo: JsonObject } {
  return {
    jwtPayload: Object.fromEntries(Object.entries(jwtPayload).filter(([name]) => !added.has(name))),
    sessionInfo,
  }
}
