import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { platform as node } from './node.ts'
import { platform as web } from './web.ts'

test.each([['Node.js', node], ['the web', web]])('on %s, a task can be cancelled', async (_, platform) => {
  const ran: string[] = []
  const cancel = platform.schedule(() => ran.push('called off'), 1)
  cancel()
  platform.schedule(() => ran.push('first'), 1)
  await new Promise<void>(resolve => void platform.schedule(resolve, 20))
  expect(ran).toEqual(['first'])
})

test.each(['node', 'web'])(
  'L-37: on Node.js, a task that is scheduled by platform/%s.ts does not keep the process alive',
  async name => {
    const module = new URL(`${name}.ts`, import.meta.url).href
    const program = `import { platform } from '${module}'; platform.schedule(() => {}, 3_600_000)`
    const options = [
      '--conditions=keyturn-source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      program,
    ]
    await expect(promisify(execFile)(process.execPath, options)).resolves.toEqual({ stdout: '', stderr: '' })
})

test('without an embedded store, the error names the option `store`', () => {
  expect(() => web.openDefaultStore()).toThrow(expect.objectContaining({
    code: 'MISUSE', message: expect.stringContaining('store'),
  }))
})

test('CON-21: where there are no files for its pages, the console says where to open it', async () => {
  await expect(web.loadConsole())
    .rejects.toMatchObject({ code: 'MISUSE', message: expect.stringContaining('serve --console') })
})
