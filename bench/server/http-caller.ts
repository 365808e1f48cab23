import { Agent, request } from 'node:http'
import type { Caller, Tokens } from './caller.ts'

/** Sends the protocol's requests over open connections, and does nothing else. It shows the limit of the server. */
export function createHttpCaller(url: string): Caller {
  const agent = new Agent({ keepAlive: true })

  async function post(path: string, body: object): Promise<Record<string, unknown>> {
    const sent = JSON.stringify(body)
    const text = await new Promise<string>((resolve, reject) => {
      const headers = {
        'cdi-version': '5.4', 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent),
      }
      const outgoing = request(`${url}${path}`, { method: 'POST', agent, headers }, response => {
        let received = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => { received += chunk })
        response.on('end', () => resolve(received))
      })
      outgoing.on('error', reject)
      outgoing.end(sent)
    })
    const answer: Record<string, unknown> = JSON.parse(text)
    if (answer['status'] !== 'OK') throw new Error(`${path} was answered with ${text}`)
    return answer
  }

  return {
    create: async () => tokensOf(await post('/public/recipe/session', {
      userId: crypto.randomUUID(), userDataInJWT: { role: 'admin' }, userDataInDatabase: {}, enableAntiCsrf: false,
      useDynamicSigningKey: true,
    })),
    async verify({ accessToken, refreshToken }) {
      const answer = await post('/recipe/session/verify', {
        accessToken, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true,
      })
      const next = 'accessToken' in answer ? tokenIn(answer['accessToken']) : accessToken
      return { accessToken: next, refreshToken }
    },
    refresh: async ({ refreshToken }) => tokensOf(await post('/recipe/session/refresh', {
      refreshToken, enableAntiCsrf: false, useDynamicSigningKey: true,
    })),
  }
}

function tokensOf(answer: Record<string, unknown>): Tokens {
  return { accessToken: tokenIn(answer['accessToken']), refreshToken: tokenIn(answer['refreshToken']) }
}

function tokenIn(info: unknown): string {
  if (typeof info === 'object' && info !== null && 'token' in info && typeof info.token === 'string') return info.token
  throw new TypeError('there is no token in an answer')
}
