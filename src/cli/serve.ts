import { startServer } from '../server/server.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { describeSettings, parseArguments } from './settings.ts'

/** `keyturn serve`. */
export const serve: Command = {
  summary: 'starts the server',
  help: `keyturn serve [settings]

Starts the server on SQLite in the working directory, reachable from this machine alone, and prints its address.
Stops in order on SIGTERM and SIGINT: what is under way is answered, nothing new is taken.

Settings (flags come before environment variables, these before the configuration file):
${describeSettings()}
  --help                             shows this

Times are seconds, or have a unit: 500ms, 90s, 15m, 1h, 100d.`,

  async run(args, terminal) {
    const { settings, words } = parseArguments(args, process.env, {})
    if (words.length > 0) throw new UsageError('serve takes no words, only --flags')
    const stopped = new Promise<void>(resolve => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
    })
    const server = await startServer(settings, { writeLog: line => process.stderr.write(line) })
    terminal.out(`keyturn listens on ${server.url}`)
    await stopped
    await server.close()
    return 0
  },
}
