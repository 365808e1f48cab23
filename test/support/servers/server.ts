import { type Launch, launch, type ServerProcess } from './server-process.ts'
import { removeDirectory } from './workspace.ts'

/** A private server of one test run, on the loopback interface. */
export interface TestServer {
  /** The URL for clients, including credentials. */
  readonly url: string
  readonly port: number
  /** The folder with its data, which survives `stop` and `kill9`. */
  readonly directory: string
  /** Shuts it down in an orderly way. */
  stop(): Promise<void>
  /** Ends it with SIGKILL, with all its processes. */
  kill9(): Promise<void>
  /** Starts it again after `stop` or `kill9`: same port, same data. */
  restart(): Promise<void>
  /** Stops it and deletes its data. This also happens when the test process ends. */
  remove(): Promise<void>
  /** Resolves once a line of its output since its last start matches. */
  printed(pattern: RegExp): Promise<void>
}

/** The description of a server for `startServer`. */
export interface ServerDescription extends Launch {
  readonly url: string
  readonly port: number
  /** The signal on which this program shuts down in an orderly way. */
  readonly stopSignal: NodeJS.Signals
}

/** Starts a server whose folder is prepared. */
export async function startServer(description: ServerDescription): Promise<TestServer> {
  const { url, port, directory, stopSignal, abortSignal } = description
  let running: ServerProcess | null = await launch(description)
  const take = (): ServerProcess | null => {
    const taken = running
    running = null
    return taken
  }
  return {
    url,
    port,
    directory,
    async stop() {
      await take()?.end(stopSignal)
    },
    async kill9() {
      await take()?.crash()
    },
    async restart() {
      await take()?.end(stopSignal)
      running = await launch(description)
    },
    async remove() {
      await take()?.end(abortSignal)
      removeDirectory(directory)
    },
    async printed(pattern) {
      if (running === null) throw new Error('the server is not running')
      await running.printed(pattern)
    },
  }
}
