import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import express from 'express'
import { expressSessions } from '../../../src/frameworks/express.ts'
import { createSessions, returnAddress } from '../../../src/index.ts'
import { createFakeClock } from '../../../src/testing/fake-clock.ts'
import type { FakeClock } from '../../../src/testing/fake-clock.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { freePort } from '../../support/servers/workspace.ts'

/** An application that renders its pages on the server and has no script. */
export interface RenderedApplication {
  readonly origin: string
  readonly clock: FakeClock
  /** How each refresh since the start was answered. */
  readonly refreshes: readonly string[]
  close(): Promise<void>
}

/** Starts it on Express, with templates. Its clock stands still until the test moves it. */
export async function startRenderedApplication(): Promise<RenderedApplication> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const clock = createFakeClock(Date.now())
  const refreshes: string[] = []
  const notes: string[] = []
  const sessions = expressSessions(createSessions({
    origin, clock,
    store: createMemoryStore(),
    cookie: { refreshTokenPath: '/' },
    events: { onSessionRefreshed: ({ how }) => refreshes.push(how) },
  }))
  const needSession = sessions.requireSession({ refresh: true, loginPath: '/login' })

  const app = express()
  app.engine('html', (path, values, answer) => void render(path, values).then(text => answer(null, text), answer))
  app.set('views', join(import.meta.dirname, 'views'))
  app.set('view engine', 'html')
  app.use(sessions.sessionRoutes(), express.urlencoded())
  app.get('/login', (_, response) => response.render('login'))
  app.post('/login', async (request, response) => {
    await sessions.createNewSession(request, response, request.body.name)
    response.redirect(303, returnAddress(request.query['returnTo'], '/notes'))
  })
  app.use(needSession)
  app.get('/notes', (request, response) => {
    response.render('notes', { name: sessions.sessionOf(request).getUserId(), notes: notes.join(', ') })
  })
  app.post('/notes', (request, response) => {
    notes.push(request.body.text)
    response.redirect(303, '/notes')
  })
  app.get('/archive', (request, response) => {
    response.render('archive', { name: sessions.sessionOf(request).getUserId(), year: request.query['year'] })
  })
  app.post('/logout', async (request, response) => {
    await sessions.sessionOf(request).revokeSession()
    response.redirect(303, '/login')
  })
  app.use(sessions.errorHandler())

  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(port, 'localhost', resolve))
  return {
    origin, clock, refreshes,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await sessions.close()
    },
  }
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Fills in the placeholders of a template. */
async function render(path: string, values: object): Promise<string> {
  const template = await readFile(path, 'utf8')
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => (
    String(Reflect.get(values, name)).replace(/[&<>"]/g, character => escapes[character] ?? character)
  ))
}
