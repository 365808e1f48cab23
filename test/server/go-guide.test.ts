// The sample of docs/server.md for Go, run as it stands there except for its ports.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildGo, go, goFolder } from '../support/go.ts'
import { guideSample, serveSamples } from '../support/guide-samples.ts'

const coreUrl = serveSamples()

test.skipIf(go === null)('V-14: the sample for Go logs in, finds the session, and checks the database', async () => {
  const { code, start } = await guideSample(coreUrl(), 'Go', 'go')
  const folder = join(goFolder, 'guide')
  mkdirSync(folder, { recursive: true })
  for (const name of ['go.mod', 'go.sum']) copyFileSync(join(import.meta.dirname, 'go', name), join(folder, name))
  writeFileSync(join(folder, 'main.go'), code)
  const program = join(folder, 'guide')
  await buildGo(folder, program)
  const client = await start(program, [], folder)
  const headers = { rid: 'session' }
  expect(JSON.parse((await client.send('GET', '/me', { headers })).body)).toEqual({ user: 'ada' })
  expect((await client.send('GET', '/transfer', { headers })).status).toBe(200)
  const revocation = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"userId":"ada"}' }
  expect((await fetch(`${coreUrl()}/v1/sessions/revoke-by-user`, revocation)).status).toBe(200)
  expect((await client.send('GET', '/transfer', { headers })).status).toBe(401)
})
