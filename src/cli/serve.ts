import { createLogger } from '../server/log.ts'
import { startServer } from '../server/create-server.ts'
import { acceptedUrls } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { describeSettings, parseArguments } from './settings.ts'
import { startTraceExport } from './traces.ts'

/** `keyturn serve`. */
export const serve: Command = {
  summary: 'starts the server',
  help: `keyturn serve [URL] [settings]

Starts the server on the store of URL, reachable from this machine alone, and prints its address.
Stops in order on SIGTERM and SIGINT: what is under way is answered, nothing new is taken.

Settings (flags come before environment variables, these before the configuration file):
${describeSettings()}
  --help                             shows this

Times are seconds, or have a unit: 500ms, 90s, 15m, 1h, 100d.
Traces go to the OpenTelemetry collector of OTEL_EXPORTER_OTLP_ENDPOINT, if that is set.
The log goes to standard error, one JSON object a line.`,

  async run(args, terminal) {
    const { settings, words } = parseArguments(args, process.env, { settings: null, own: {} })
    if (words.length > 0) throw new UsageError(`serve takes one word, the store: ${acceptedUrls}`)
    const stopped = new Promise<void>(resolve => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
    })
    const logger = createLogger(settings.logLevel, Date.now, line => process.stderr.write(line))
    const traces = await startTraceExport(process.env, logger)
    try {
      const server = await startServer(settings, {
        logger, ...traces === null ? {} : { openTelemetry: traces.openTelemetry },
      })
      terminal.out(`keyturn listens on ${server.url}`)
      await stopped
      await server.close()
    } finally {
      await traces?.close()
    }
    return 0
  },
}
