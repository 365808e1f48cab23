import { WebSocket } from 'ws'
import { findProgram } from '../../support/servers/programs.ts'
import { launch } from '../../support/servers/server-process.ts'
import type { ServerProcess } from '../../support/servers/server-process.ts'
import { createDirectory, freePort, removeDirectory } from '../../support/servers/workspace.ts'
import type { Cookie, Profile, Tab, WebBrowser } from './web-browser.ts'

/** The path of Firefox; null if it is missing. Then its tests are skipped, and `npm test` says so. */
export const firefoxPath: string | null = findProgram('firefox-esr')

/** Starts headless Firefox and controls it through WebDriver BiDi. */
export async function launchFirefox(): Promise<WebBrowser> {
  const directory = createDirectory()
  const port = await freePort()
  const program = await launch({
    program: 'firefox-esr',
    args: ['--headless', '--no-remote', '--profile', directory, '--remote-debugging-port', `${port}`],
    directory,
    ready: /WebDriver BiDi listening on/,
    abortSignal: 'SIGKILL',
  })
  const remote = await Remote.connect(`ws://127.0.0.1:${port}/session`)
  await remote.command('session.new', { capabilities: {} })
  return new Firefox(program, remote, directory)
}

interface Answer {
  readonly id: number | null
  readonly result?: object
  readonly error?: string
  readonly message?: string
}

/** One connection of WebDriver BiDi: commands in JSON; each response has the number of its command. */
class Remote {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number | null, (answer: Answer) => void>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => {
      const answer: Answer = JSON.parse(String(data))
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer({ id: null, error: 'closed' })
    })
  }

  static async connect(url: string): Promise<Remote> {
    const socket = new WebSocket(url)
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return new Remote(socket)
  }

  /** Resolves to the command's result, as the standard defines it. */
  async command<Result extends object>(method: string, params: object): Promise<Result> {
    const id = ++this.#last
    const answered = new Promise<Answer>(resolve => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params }))
    const { result, error, message } = await answered
    if (result === undefined) throw new Error(`${method}: ${error ?? ''} ${message ?? ''}`)
    return result as Result
  }
}

class Firefox implements WebBrowser {
  readonly #program: ServerProcess
  readonly #remote: Remote
  readonly #directory: string
  readonly #profiles = new Set<string>()

  constructor(program: ServerProcess, remote: Remote, directory: string) {
    this.#program = program
    this.#remote = remote
    this.#directory = directory
  }

  async newProfile(): Promise<Profile> {
    const { userContext } = await this.#remote.command<{ userContext: string }>('browser.createUserContext', {})
    this.#profiles.add(userContext)
    return new FirefoxProfile(this.#remote, userContext)
  }

  async closeProfiles(): Promise<void> {
    const profiles = [...this.#profiles]
    this.#profiles.clear()
    await Promise.all(profiles.map(userContext => this.#remote.command('browser.removeUserContext', { userContext })))
  }

  async close(): Promise<void> {
    await this.#program.crash()
    removeDirectory(this.#directory)
  }
}

/** A user context. It has cookies, storage, locks and workers of its own. */
class FirefoxProfile implements Profile {
  readonly #remote: Remote
  readonly #userContext: string

  constructor(remote: Remote, userContext: string) {
    this.#remote = remote
    this.#userContext = userContext
  }

  async openTab(url: string): Promise<Tab> {
    const { context } = await this.#remote.command<{ context: string }>('browsingContext.create', {
      type: 'tab', userContext: this.#userContext,
    })
    await this.#remote.command('browsingContext.navigate', { context, url, wait: 'complete' })
    return new FirefoxTab(this.#remote, context)
  }

  async runFirst(script: () => void): Promise<void> {
    const scope = { userContexts: [this.#userContext] }
    await this.#remote.command('script.addPreloadScript', { functionDeclaration: String(script), ...scope })
  }

  async setOffline(isOffline: boolean): Promise<void> {
    await this.#remote.command('emulation.setNetworkConditions', {
      networkConditions: isOffline ? { type: 'offline' } : null, userContexts: [this.#userContext],
    })
  }

  async cookies(): Promise<readonly Cookie[]> {
    const partition = { type: 'storageKey', userContext: this.#userContext }
    return (await this.#remote.command<{ cookies: Cookie[] }>('storage.getCookies', { partition })).cookies
  }
}

interface Evaluation {
  readonly result?: { readonly value: string }
  readonly exceptionDetails?: { readonly text: string }
}

class FirefoxTab implements Tab {
  readonly #remote: Remote
  readonly #context: string

  constructor(remote: Remote, context: string) {
    this.#remote = remote
    this.#context = context
  }

  async evaluate<Result>(
    task: (...values: never[]) => Result | Promise<Result>,
    ...values: unknown[]
  ): Promise<Result> {
    const { result, exceptionDetails } = await this.#remote.command<Evaluation>('script.callFunction', {
      // JSON has no `undefined`; as a member of an object, it is left out.
      functionDeclaration: `async text => JSON.stringify({ value: await (${task})(...JSON.parse(text)) })`,
      arguments: [{ type: 'string', value: JSON.stringify(values) }],
      awaitPromise: true,
      target: { context: this.#context },
    })
    if (result === undefined) throw new Error(exceptionDetails?.text ?? 'no result')
    const { value }: { value: Result } = JSON.parse(result.value)
    return value
  }

  async close(): Promise<void> {
    await this.#remote.command('browsingContext.close', { context: this.#context })
  }
}
