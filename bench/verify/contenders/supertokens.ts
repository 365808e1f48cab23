import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import supertokens from 'supertokens-node'
import Session from 'supertokens-node/recipe/session/index.js'
import type { SessionContainer } from 'supertokens-node/recipe/session/index.js'
import { claims, SESSIONS, userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

const now = Math.floor(Date.now() / 1000)

/** A stub instead of its core: verification fetches the key set from it once. */
export async function startSupertokens(): Promise<{ readonly tokens: readonly string[]; close(): Promise<void> }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = 'd-1716200000000'
  const keys = { keys: [{ ...await exportJWK(publicKey), kid, alg: 'RS256', use: 'sig' }] }
  const core = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url?.startsWith('/apiversion') === true ? { versions: ['5.4'] } : keys))
  })
  await new Promise<void>(resolve => core.listen(0, '127.0.0.1', resolve))
  const { port } = core.address() as AddressInfo
  supertokens.init({
    supertokens: { connectionURI: `http://127.0.0.1:${port}` },
    appInfo: { appName: 'bench', apiDomain: 'https://app.example.com', websiteDomain: 'https://app.example.com' },
    framework: 'express',
    recipeList: [Session.init({ exposeAccessTokenToFrontendInCookieBasedAuth: false })],
    telemetry: false,
  })
  const tokens = await Promise.all(Array.from({ length: SESSIONS }, (_, index) => new SignJWT({
    ...claims, sub: userId, rsub: userId, tId: 'public', sessionHandle: `3f0c8f5e-7a54-4f6b-9a5e-2a1b6f1f2c${10 + index}`,
    refreshTokenHash1: 'f'.repeat(64), parentRefreshTokenHash1: null, antiCsrfToken: null,
    iss: 'https://app.example.com/auth', iat: now, exp: now + 3600,
  }).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT', version: '5' }).sign(privateKey)))
  return { tokens, close: () => new Promise(resolve => core.close(() => resolve())) }
}

export const setUps: Readonly<Record<string, SetUp>> = {
  'supertokens-node RS256': async () => {
    const { tokens, close } = await startSupertokens()
    return {
      headers: index => ({ authorization: `Bearer ${tokens[index % SESSIONS] ?? ''}` }),
      find(request) {
        const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
        return Session.getSessionWithoutRequestResponse(token, undefined, { antiCsrfCheck: false })
      },
      userOf: (session: SessionContainer) => session.getUserId(),
      close,
    }
  },
}
