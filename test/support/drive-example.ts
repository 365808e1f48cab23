import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { HttpClient } from './http-client.ts'
import { freePort } from './servers/workspace.ts'

/** The folder of the examples. */
export const examples: string = join(import.meta.dirname, '../../examples')

/**
 * Starts an example in a separate folder and goes through a session with it: login, page, refresh, sign-out. The
 * server of an example prints a line when it listens. It gets the `variables` besides those that all examples get.
 */
export async function driveExample(
  command: string,
  parameters: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-example-'))
  // The variables of a test runner are not for an application: with them, servers would print nothing.
  const outside = { CI: undefined, NODE_ENV: undefined, TEST: undefined, VITEST: undefined }
  const env = { ...process.env, ...outside, HOST: '127.0.0.1', PORT: String(port), ...variables }
  const child = spawn(command, parameters, { cwd: folder, env, stdio: 'pipe' })
  const errorOutput: string[] = []
  child.stderr.setEncoding('utf8').on('data', text => errorOutput.push(text))
  const ended = once(child, 'close')
  try {
    await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      ended.then(() => Promise.reject(new Error(`the example ended:\n${errorOutput.join('')}`))),
    ])
    await driveSession(port)
    // The only mistake is the sign-out from another origin.
    const refusal = /^keyturn: a request from the origin "https:\/\/evil\.example" was refused[^\n]*\n$/
    await expect.poll(() => errorOutput.join('')).toMatch(refusal)
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true })
  }
}

/** Goes through a session with an example that listens on this port of `localhost`. */
export function driveSession(port: number, origin: string = `http://localhost:${port}`): Promise<void> {
  return live(new HttpClient(port, origin, Date.now), origin)
}

async function live(client: HttpClient, origin: string): Promise<void> {
  const names = defaultCookieNames(new URL(origin))
  const headers = { origin }
  const userOf = async (path: string): Promise<unknown> => JSON.parse((await client.send('GET', path)).body).userId
  expect((await client.send('GET', '/me')).status).toBe(401)
  const login = await client.send('POST', '/login', { headers, body: { userId: 'alice' } })
  const cookies = [names.accessToken, `${names.accessToken}Mac`, names.refreshToken]
  expect([login.status, client.jar.map(({ name }) => name)]).toEqual([200, cookies])
  expect(await userOf('/me')).toBe('alice')
  const before = client.cookie(names.refreshToken)
  expect((await client.send('POST', '/auth/session/refresh', { headers })).status).toBe(200)
  expect(client.cookie(names.refreshToken)).not.toBe(before)
  expect(await userOf('/me')).toBe('alice')
  expect((await client.send('POST', '/auth/signout', { headers: { origin: 'https://evil.example' } })).status).toBe(403)
  expect((await client.send('POST', '/auth/signout', { headers })).status).toBe(200)
  expect([client.jar, (await client.send('GET', '/me')).status]).toEqual([[], 401])
}
