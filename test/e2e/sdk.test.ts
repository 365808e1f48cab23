import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { startExample } from './support/example.ts'
import { describeSdkLife } from './support/sdk-life.ts'

describeSdkLife('supertokens-website in Chromium', async frontEnd => {
  const example = await startExample({ ALLOWED_ORIGIN: frontEnd })
  const { accessToken, refreshToken } = defaultCookieNames(new URL(example.origin))
  return { ...example, cookieNames: [accessToken, `${accessToken}Mac`, refreshToken] }
})
