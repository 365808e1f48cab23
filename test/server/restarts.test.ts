import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runRestarts } from '../support/restart-run.ts'
import { serveProcess } from '../support/serve-process.ts'
import { freePort } from '../support/servers/workspace.ts'

test('V-08: three graceful restarts and one kill behind a proxy that repeats requests: no request fails, no session is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-restarts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const port = await freePort()
  const start = (): ReturnType<typeof serveProcess> => (
    serveProcess(folder, ['--port', `${port}`, 'sqlite:sessions.db'], { KEYTURN_LOG_LEVEL: 'silent' })
  )
  const { requests, failures, retries, signals } = await runRestarts({ port, start, requests: 1000, clients: 16 })
  expect(failures).toEqual([])
  expect(signals).toEqual(['SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGKILL'])
  expect(requests).toBeGreaterThanOrEqual(1000)
  expect(retries, 'requests came while no server listened').toBeGreaterThan(0)
})
