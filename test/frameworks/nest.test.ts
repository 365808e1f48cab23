import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Catch, createParamDecorator } from '@nestjs/common'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import { describe, expect, test } from 'vitest'
import { nestSessions } from '../../src/frameworks/nest.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import { ORIGIN } from '../support/session-server.ts'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startNestApp } from './apps/nest.ts'
import { compileExample, startExampleApp } from './support/example-app.ts'
import { PageBrowser } from './support/page-browser.ts'

runFrameworkContract('Nest on Express', variant => startNestApp('express', variant))
runFrameworkContract('Nest on Fastify', variant => startNestApp('fastify', variant))

test('S-08: the guard accepts only HTTP, and its error names the adapters for handshakes of a gateway', async () => {
  const sessions = nestSessions(createSessions({ origin: 'http://localhost', ...inMemory() }), {
    Catch, createParamDecorator,
  })
  const gateway = new ExecutionContextHost([{ handshake: {} }, 'a message'])
  gateway.setType('ws')
  await expect(sessions.requireSession().canActivate(gateway)).rejects.toMatchObject({
    code: 'MISUSE', message: expect.stringContaining('wsSessions or socketIoSessions'),
  })
  await sessions.close()
})

describe('L-22: the guard outside of HTTP', () => {
  const bare = createSessions({ origin: ORIGIN, ...inMemory() })
  const parts = { Catch, createParamDecorator }

  /** A context as @nestjs/graphql makes it: the four arguments of a resolver. */
  function resolverContext(context: object): ExecutionContextHost {
    const host = new ExecutionContextHost([{}, {}, context, {}])
    host.setType('graphql')
    return host
  }

  async function exchange(): Promise<{ req: IncomingMessage; res: ServerResponse }> {
    const { headers } = await signIn(bare, 'alice')
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'POST', headers })
    return { req, res: new ServerResponse(req) }
  }

  test('finds the session of a GraphQL resolver', async () => {
    const sessions = nestSessions(bare, parts)
    const { req, res } = await exchange()
    const host = resolverContext({ req, res })
    expect(await sessions.requireSession().canActivate(host)).toBe(true)
    expect(Reflect.apply(sessions.sessionOf, null, [req]).getUserId()).toBe('alice')
  })

  test('rejects a resolver without a session, and the filter leaves the error to GraphQL', async () => {
    const sessions = nestSessions(bare, parts)
    const { req, res } = await exchange()
    req.headers = {}
    const host = resolverContext({ req, res })
    const refused: unknown = await Promise.resolve(sessions.requireSession().canActivate(host)).catch(error => error)
    expect(refused).toMatchObject({ code: 'UNAUTHORIZED' })
    expect(sessions.errorHandler().catch(refused, host)).toBe(refused)
    expect(res.headersSent).toBe(false)
  })

  test('takes request and response from findRequest', async () => {
    const { req, res } = await exchange()
    const sessions = nestSessions(bare, {
      ...parts, findRequest: host => Reflect.get(host.getArgByIndex(0), 'pair'),
    })
    const host = new ExecutionContextHost([{ pair: [req, res] }])
    host.setType('rpc')
    expect(await sessions.requireSession().canActivate(host)).toBe(true)
  })

  test('says what is missing where there is no request', async () => {
    const { canActivate } = nestSessions(bare, parts).requireSession()
    for (const host of [resolverContext({}), Object.assign(new ExecutionContextHost([{}]), { getType: () => 'rpc' })]) {
      await expect(canActivate(host)).rejects.toMatchObject({
        code: 'MISUSE', message: expect.stringMatching(/no HTTP request in a context of type "\w+".*findRequest/),
      })
    }
  })
})

test('the example with compiled decorators logs in and finds the session', async () => {
  compileExample('nest')
  const example = await startExampleApp('nest', ['dist/main.js'])
  try {
    const browser = new PageBrowser(example)
    expect((await browser.open('/me')).status).toBe(401)
    expect((await browser.post('/login')).status).toBe(201)
    expect(JSON.parse((await browser.open('/me')).body)).toEqual({ userId: 'ada', role: 'reader' })
    expect((await browser.refresh()).status).toBe(200)
    expect((await browser.post('/auth/signout')).status).toBe(200)
    expect((await browser.open('/me')).status).toBe(401)
  } finally {
    await example.stop()
  }
})
