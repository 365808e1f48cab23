import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serveProcess } from '../support/serve-process.ts'
import { freePort } from '../support/servers/workspace.ts'

interface Pair {
  readonly refreshToken: string
}

test('a server with SQLite is killed twice during 500 refreshes and logins: all sessions are kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-killed-'))
  const port = await freePort()
  const start = (): ReturnType<typeof serveProcess> =>
    serveProcess(folder, ['--port', `${port}`, 'sqlite:sessions.db'], { KEYTURN_LOG_LEVEL: 'silent' })
  let server = await start()
  onTestFinished(async () => {
    await server.end('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  let answered = 0
  let unanswered = 0
  let crash: { readonly at: number; readonly reached: () => void } | null = null

  /** Repeats a request until there is a response, which must be a pair of tokens. */
  async function callUntilAnswered(path: string, body: object): Promise<string> {
    for (;;) {
      let response: Response
      let text: string
      try {
        response = await fetch(`http://127.0.0.1:${port}${path}`, {
          method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
        })
        text = await response.text()
      } catch {
        unanswered += 1
        await up
        continue
      }
      expect(response.ok, text).toBe(true)
      answered += 1
      if (crash !== null && answered >= crash.at) crash.reached()
      const pair: Pair = JSON.parse(text)
      return pair.refreshToken
    }
  }

  let up: Promise<void> = Promise.resolve()
  const logIn = (userId: string): Promise<string> => callUntilAnswered('/v1/sessions', { userId })
  const refresh = (refreshToken: string): Promise<string> => callUntilAnswered('/v1/sessions/refresh', { refreshToken })
  const logInAll = (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, (_, number) => logIn(`user-${number}`)))

  let tokens = await logInAll(400)
  for (let round = 0; round < 2; round++) {
    const reached = new Promise<void>(resolve => {
      crash = { at: answered + 150, reached: resolve }
    })
    const restarted = reached.then(async () => {
      crash = null
      up = Promise.resolve(server.end('SIGKILL')).then(async () => {
        server = await start()
      })
      await up
    })
    const traffic = Promise.all([Promise.all(tokens.map(refresh)), logInAll(100)])
    await restarted
    tokens = (await traffic).flat().slice(0, 400)
  }
  expect(unanswered).toBeGreaterThan(0)
  await Promise.all(tokens.map(refresh))
})
