import SuperTokens from 'supertokens-node'
import Session from 'supertokens-node/recipe/session/index.js'
import type { Caller, Tokens } from './caller.ts'

/** Calls the server through the published Node SDK, as an application does. One per process, because it is global. */
export function createSdkCaller(url: string): Caller {
  SuperTokens.init({
    framework: 'custom',
    supertokens: { connectionURI: url },
    appInfo: { appName: 'bench', apiDomain: 'http://localhost', websiteDomain: 'http://localhost' },
    telemetry: false,
    recipeList: [Session.init({ antiCsrf: 'NONE' })],
  })
  return {
    create: async () => tokensOf(await Session.createNewSessionWithoutRequestResponse(
      'public', SuperTokens.convertToRecipeUserId(crypto.randomUUID()), { role: 'admin' }, {}, true,
    )),
    async verify({ accessToken, refreshToken }) {
      const demands = { checkDatabase: true, antiCsrfCheck: false }
      const session = await Session.getSessionWithoutRequestResponse(accessToken, undefined, demands)
      if (session === undefined) throw new TypeError('there is no session')
      return { accessToken: session.getAllSessionTokensDangerously().accessToken, refreshToken }
    },
    async refresh({ refreshToken }) {
      return tokensOf(await Session.refreshSessionWithoutRequestResponse(refreshToken, true))
    },
  }
}

function tokensOf(session: Session.SessionContainer): Tokens {
  const { accessToken, refreshToken } = session.getAllSessionTokensDangerously()
  if (refreshToken === undefined) throw new TypeError('a session came without a refresh token')
  return { accessToken, refreshToken }
}
