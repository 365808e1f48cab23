import { Catch, createParamDecorator } from '@nestjs/common'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import { expect, test } from 'vitest'
import { nestSessions } from '../../src/frameworks/nest.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
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
