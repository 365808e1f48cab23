import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { HttpClient } from './http-client.ts'
import { freePort } from './servers/workspace.ts'

const root = join(import.meta.dirname, '../..')

/** The text of docs/server.md. */
export const serverGuide: string = readFileSync(join(root, 'docs/server.md'), 'utf8')

/** A sample of docs/server.md, with addresses of this test. */
export interface GuideSample {
  readonly code: string
  /** Runs the application until the test is over, and logs in as a page does. */
  readonly start: (command: string, args: readonly string[], folder?: string) => Promise<HttpClient>
}

/** A server for the samples of a file of tests. Returns its address. */
export function serveSamples(): () => string {
  let core: KeyturnServer | null = null
  beforeAll(async () => {
    core = await startServer({ port: 0, logLevel: 'silent' }, { openStore: async () => createMemoryStore() })
  })
  afterAll(() => core?.close())
  return () => core?.url ?? expect.fail('the server runs while tests do')
}

/** The first sample in this language under a heading, as it stands there except for its ports. */
export async function guideSample(coreUrl: string, heading: string, language: string): Promise<GuideSample> {
  const port = await freePort()
  const section = serverGuide.slice(serverGuide.indexOf(`\n## ${heading}\n`))
  const [, code = ''] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section) ?? []
  expect(code).toContain('elemetry')
  return {
    code: code.replaceAll('http://127.0.0.1:3567', coreUrl).replaceAll('3000', String(port)),
    async start(command, args, folder = root) {
      const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      const client = new HttpClient(port, `http://localhost:${port}`, Date.now)
      const headers = { 'st-auth-mode': 'cookie', rid: 'session' }
      await expect.poll(() => client.send('GET', '/me', { headers }).then(({ status }) => status, () => null)).toBe(401)
      expect((await client.send('POST', '/login', { headers })).status).toBe(200)
      return client
    },
  }
}
