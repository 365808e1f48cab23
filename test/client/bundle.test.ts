import { build } from 'esbuild'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type * as parts from '../../src/client/parts.ts'

const src = join(import.meta.dirname, '../../src')

async function bundle(code: string): Promise<{ text: string; inputs: string[]; used: string[] }> {
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
  const [output] = Object.values(metafile.outputs)
  const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { text: outputFiles[0]?.text ?? '', inputs, used: used.map(([path]) => path) }
}

test('the core client is smaller than 6,000 bytes after gzip', async () => {
  const { text } = await bundle(`export { createClient } from './client/index.ts'`)
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(6000)
})

/** The files of parts, and what each function is in. */
const files: Readonly<Record<keyof typeof parts, string>> = {
  checkOnFocus: 'keep-fresh', connectEventSource: 'connect', connectWebSocket: 'connect', createDevices: 'devices',
  createStepUp: 'step-up', endOnRevocation: 'connect', explainProblems: 'explain-problems', keepFresh: 'keep-fresh',
  loginPageFor: 'login-page', observe: 'observe', patchFetch: 'fetch-with-session',
  reauthenticateWith: 'reauthenticate',
  sendXhr: 'connect',
}

test.each(Object.entries(files))('the part %s brings no other part', async (name, file) => {
  const { text, used } = await bundle(`export { ${name} } from './client/parts.ts'`)
  const own = [file, ...file === 'reauthenticate' ? ['fetch-with-session'] : []]
  const others = Object.values(files).filter(other => !own.includes(other))
  expect(used).toContain(`src/client/${file}.ts`)
  expect(used.filter(path => others.some(other => path === `src/client/${other}.ts`))).toEqual([])
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(2000)
  for (const [platform, users] of [
    ['WebSocket', ['connectWebSocket']], ['EventSource', ['connectEventSource', 'endOnRevocation']],
    ['XMLHttpRequest', ['sendXhr']],
  ] as const) expect(text.includes(`new ${platform}`), platform).toBe(users.some(user => user === name))
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
