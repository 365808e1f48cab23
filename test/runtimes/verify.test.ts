import { describe, expect, test } from 'vitest'
import { runtimeProgram } from '../support/runtimes/install.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { AT, ORIGIN, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'

const workerd = runtimeProgram('workerd')

describe.skipIf(workerd === null)('keyturn/verify on workerd', () => {
  test.each(['ES256', 'EdDSA'] as const)('verifies %s tokens with the key set that it fetches', async algorithm => {
    const server = await startSessionServer({ algorithm, clock: Date.now })
    const JWKS_URL = `http://127.0.0.1:${server.port}/auth/jwt/jwks.json`
    const edge = await serveWorker(workerd ?? '', 'test/runtimes/apps/verifying-worker.ts', {
      edge: { ISSUER: `${ORIGIN}/auth`, JWKS_URL },
    })
    try {
      const client = server.client()
      await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId: 'alice' } })
      const token = client.cookie(AT)
      const read = async (cookie: string): Promise<unknown> => {
        const reply = await fetch(`http://127.0.0.1:${edge.ports.get('edge')}/`, { headers: { cookie } })
        return reply.json()
      }
      const readings = await Promise.all(Array.from({ length: 10 }, () => read(`${AT}=${token}`)))
      for (const reading of readings) expect(reading).toEqual({ kind: 'active', userId: 'alice' })
      expect(await read(`${AT}=${token?.slice(0, -3)}AAA`)).toEqual({ kind: 'needs-refresh', userId: null })
      expect(await read('')).toEqual({ kind: 'none', userId: null })
    } finally {
      await edge.close()
      await server.close()
    }
  })
})
