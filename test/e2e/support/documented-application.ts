import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { freePort } from '../../support/servers/workspace.ts'
import type { Certificate } from './certificate.ts'
import type { Running } from './identity-provider.ts'

const root = join(import.meta.dirname, '../../..')

/** The functions that the guide leaves to its reader. A mail goes to the test. */
const yours = `
export const findOrCreateUser = async ({ sub, email }) => ({ id: sub ?? email, name: sub ?? email })
export const sendMail = async (address, link) => process.send({ address, link })
`

/** The application of a guide, as a reader would run it. */
export interface DocumentedApplication extends Running {
  /** The links of the mails that it has sent. */
  readonly links: readonly string[]
  /** What it has printed. */
  output(): string
}

/** The code blocks of a guide that are marked with this file name, in their order. */
export function codeOf(guide: string, file: string): string {
  const text = readFileSync(join(root, 'docs', guide), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`js ${file}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code).join('\n')
}

/** Starts the application of the code behind a server that terminates TLS, at `origin`. */
export async function startDocumentedApplication(
  code: string,
  origin: string,
  certificate: Certificate,
  settings: Readonly<Record<string, string>>,
): Promise<DocumentedApplication> {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const directory = mkdtempSync(join(root, '.cache', 'documented-'))
  for (const [name, content] of [['server.mjs', code], ['yours.mjs', yours], ['cert.pem', certificate.cert]] as const) {
    writeFileSync(join(directory, name), content)
  }
  const port = await freePort()
  const child = spawn(process.execPath, ['--import', join(import.meta.dirname, 'resolve-locally.mjs'), 'server.mjs'], {
    cwd: directory,
    env: {
      ...process.env, ...settings, ORIGIN: origin, PORT: `${port}`, NODE_EXTRA_CA_CERTS: join(directory, 'cert.pem'),
      SESSION_SECRET: 'a secret of at least 32 characters',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const links: string[] = []
  child.on('message', (mail: { readonly link: string }) => links.push(mail.link))
  const ended = once(child, 'close')
  const tls = createServer(certificate, socket => {
    const upstream = connect(port, '127.0.0.1')
    for (const end of [socket, upstream]) end.on('error', () => end.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>(resolve => tls.listen(Number(new URL(origin).port), '127.0.0.1', resolve))
  return {
    origin,
    links,
    output: () => output,
    async close() {
      tls.close()
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
