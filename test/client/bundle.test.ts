import { build } from 'esbuild'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const src = join(import.meta.dirname, '../../src')

async function bundle(code: string): Promise<{ text: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: src, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    external: ['axios', 'react', 'vue'],
  })
  const inputs = Object.keys(metafile.inputs).filter(path => path.startsWith('src/'))
  return { text: outputFiles[0]?.text ?? '', inputs }
}

test('the core client is smaller than 6,000 bytes after gzip', async () => {
  const { text } = await bundle(`export { createClient } from './client/index.ts'`)
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(6000)
})

test('the client bundle contains no server code, even with the types of the server', async () => {
  const { text, inputs } = await bundle(`
    import type { createSessions } from './index.ts'
    import { createClient } from './client/index.ts'
    export const client = createClient<ReturnType<typeof createSessions<{ role: string }>>>()
    export * from './client/index.ts'
    export * from './client/axios.ts'
    export * from './client/react.ts'
    export { useSession as useVueSession } from './client/vue.ts'
    export * from './client/svelte.ts'`)
  expect(inputs.filter(path => !path.startsWith('src/client/')).toSorted())
    .toEqual(['src/base/supported-version.ts', 'src/base/wire.ts'])
  expect(text).not.toMatch(/set-cookie|sRefreshToken|HMAC|sqlite|node:|SELECT /i)
})
