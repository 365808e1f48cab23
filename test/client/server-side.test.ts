import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

test('a server that renders pages can create the client, gets no session, and can exit', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=keyturn-source', '--input-type=module', '--eval',
    `import { createClient } from './src/client/index.ts'
    import './src/client/react.ts'
    import './src/client/vue.ts'
    import './src/client/svelte.ts'
    import './src/client/axios.ts'
    const client = createClient({ fetch: () => { throw new Error('asked') } })
    console.log(client.peekSession(), await client.getSession(), await client.refresh())`,
  ], { cwd: root, timeout: 150_000 })
  expect(stdout).toBe('undefined null false\n')
})
