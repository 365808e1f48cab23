import { once } from 'node:events'
import { createLogger } from '../server/log.ts'
import { startServer } from '../server/create-server.ts'
import type { KeyturnServer } from '../server/create-server.ts'
import type { ServerParts } from '../server/parts.ts'
import { acceptedUrls } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { describeSettings, parseArguments } from './settings.ts'
import { startTraceExport } from './traces.ts'

/** `keyturn serve`. */
export const serve: Command = {
  summary: 'starts the server',
  help: `keyturn serve [URL] [settings]

Starts the server with the store at URL, and prints its address. By default, only this machine can reach it.
On SIGTERM or SIGINT, it answers 503 on /health/ready for --shutdown-delay, takes no new connections, answers the
requests in progress, and exits.

Settings (a flag overrides the environment variable, which overrides the configuration file):
${describeSettings()}
  --help                             shows this help

Times are in seconds, or have a unit: 500ms, 90s, 15m, 1h, 100d.
If OTEL_EXPORTER_OTLP_ENDPOINT is set, the server sends traces to that OpenTelemetry collector.
The log is written to standard error, one JSON object per line.`,

  async run(args, terminal) {
    const { settings, words } = parseArguments(args, process.env, { settings: null, own: {} })
    if (words.length > 0) throw new UsageError(`serve takes one argument, the store: ${acceptedUrls}`)
    const stopping = new AbortController()
    const stopped = once(stopping.signal, 'abort')
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
    const logger = createLogger(settings.logLevel, Date.now, line => process.stderr.write(line))
    const traces = await startTraceExport(process.env, logger)
    const start = (parts: ServerParts): Promise<KeyturnServer | null> => startServer(settings, parts).catch(error => {
      // A server that is stopped while it waits for its store has not failed.
      if (!stopping.signal.aborted) throw error
      return null
    })
    try {
      const server = await start({
        logger, signal: stopping.signal, ...traces === null ? {} : { openTelemetry: traces.openTelemetry },
      })
      if (server === null) return 0
      terminal.out(`keyturn listens on ${server.url}`)
      await stopped
      await server.close()
    } finally {
      await traces?.close()
    }
    return 0
  },
}
