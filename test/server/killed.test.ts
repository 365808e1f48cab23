import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serveProcess } from '../support/serve-process.ts'
import { freePort } from '../support/servers/workspace.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

interface Pair {
  readonly refreshToken: string
}

test('a server with SQLite is killed twice during 500 refreshes and logins: all sessions are kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-killed-'))
  const port = await freePort()
  const start = (): ReturnType<typeof serveProcess> =>
    serveProcess(folder, ['--port', `${port}`, 'sqlite:sessions.db'], { KEYTURN_LOG_LEVEL: 'silent' })
  let server = await start()
  const proxy = await startTcpProxy(port)
  onTestFinished(async () => {
    await proxy.close()
    await server.end('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  let underWay = 0
  let unanswered = 0
  let up: Promise<void> = Promise.resolve()

  /** Repeats a request until there is a response, which must be a pair of tokens. */
  async function callUntilAnswered(path: string, body: object): Promise<string> {
    for (;;) {
      let response: Response
      let text: string
      underWay += 1
      try {
        response = await fetch(`http://127.0.0.1:${proxy.port}${path}`, {
          method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
        })
        text = await response.text()
      } catch {
        unanswered += 1
        await up
        continue
      } finally {
        underWay -= 1
      }
      expect(response.ok, text).toBe(true)
      const pair: Pair = JSON.parse(text)
      return pair.refreshToken
    }
  }

  const logIn = (userId: string): Promise<string> => callUntilAnswered('/v1/sessions', { userId })
  const refresh = (refreshToken: string): Promise<string> => callUntilAnswered('/v1/sessions/refresh', { refreshToken })
  const logInAll = (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, (_, number) => logIn(`user-${number}`)))

  let tokens = await logInAll(400)
  for (let round = 0; round < 2; round++) {
    const acknowledged = await Promise.all([...tokens.slice(0, 200).map(refresh), logInAll(50)])
    const held = proxy.holdAnswers()
    const traffic = Promise.all([...tokens.slice(200).map(refresh), logInAll(50)])
    await held
    expect(underWay).toBe(250)
    up = (async () => {
      await server.end('SIGKILL')
      proxy.cutAll()
      proxy.resume()
      server = await start()
    })()
    await up
    tokens = [...acknowledged, ...await traffic].flat().slice(0, 400)
  }
  expect(unanswered).toBeGreaterThanOrEqual(500)
  await Promise.all(tokens.map(refresh))
})
