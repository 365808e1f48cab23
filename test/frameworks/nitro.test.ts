import { join } from 'node:path'
import { test } from 'vitest'
import { driveExample, examples } from '../support/drive-example.ts'
import { prepareExample } from './support/example-app.ts'

test('the example nitro, built by nitro build, serves sessions', async () => {
  prepareExample('nitro')
  await driveExample('node', [join(examples, 'nitro/.output/server/index.mjs')])
}, 240_000)
