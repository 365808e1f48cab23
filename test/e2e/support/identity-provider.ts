import { createServer } from 'node:https'
import { Provider } from 'oidc-provider'
import type { Certificate } from './certificate.ts'

/** A running server of a test. */
export interface Running {
  readonly origin: string
  close(): Promise<void>
}

/** How applications are registered at the provider. */
export interface Registration {
  readonly id: string
  readonly secret: string
  readonly origins: readonly string[]
}

/** Starts a real OpenID provider. Its login page accepts any name and password. */
export async function startIdentityProvider(
  origin: string,
  certificate: Certificate,
  { id, secret, origins }: Registration,
): Promise<Running> {
  const provider = new Provider(origin, {
    clients: [{
      client_id: id,
      client_secret: secret,
      redirect_uris: origins.flatMap(each => [`${each}/login/callback`, `${each}/login/form/callback`]),
      post_logout_redirect_uris: origins.map(each => `${each}/`),
    }],
    claims: { openid: ['sub'], email: ['email'] },
    cookies: { keys: ['a key of the tests'] },
  })
  const server = createServer(certificate, provider.callback())
  await new Promise<void>(resolve => server.listen(Number(new URL(origin).port), '127.0.0.1', resolve))
  return {
    origin,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
