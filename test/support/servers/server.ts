import { type Launch, launch, type ServerProcess } from './server-process.ts'
import { removeDirectory } from './workspace.ts'

/** A private server of one test run, on the loopback interface. */
export interface TestServer {
  /** Where clients connect, credentials included. */
  readonly url: string
  readonly port: number
  /** Holds its data; survives `stop` and `kill9`. */
  readonly directory: string
  /** Shuts it down in order. */
  stop(): Promise<void>
  /** Ends it with SIGKILL, with all its processes. */
  kill9(): Promise<void>
  /** Starts it again after `stop` or `kill9`: same port, same data. */
  restart(): Promise<void>
  /** Ends it and deletes its data. The end of the test process does the same. */
  remove(): Promise<void>
  /** Resolves once a line of its output, since its last start, fits. */
  printed(pattern: RegExp): Promise<void>
}

/** What `startServer` needs to know of a server. */
export interface ServerDescription extends Launch {
  readonly url: string
  readonly port: number
  /** The signal on which this program shuts down in order. */
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
