import { limitFields } from '../server/log.ts'
import type { Logger } from '../server/log.ts'
import { hideCredentials, describeError } from '../server/observe.ts'
import type { OpenTelemetry } from '../server/traces.ts'
import { UsageError } from './command.ts'

/** The export of spans from this process. */
export interface TraceExport {
  /** The API that creates spans. */
  readonly openTelemetry: OpenTelemetry
  /** Sends the remaining spans, but waits at most 3 seconds for the collector. */
  close(): Promise<void>
}

type Environment = Record<string, string | undefined>

/** How long the program waits for the collector when it exits, in milliseconds. */
const CLOSE_LIMIT = 3000

/**
 * Starts OpenTelemetry's SDK if the environment names a collector with OpenTelemetry's variables
 * `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. The SDK reads all its other variables itself.
 * @throws UsageError if the SDK is not installed. The message says what to install.
 */
export async function startTraceExport(environment: Environment, logger: Logger): Promise<TraceExport | null> {
  const variable = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']
    .find(name => (environment[name] ?? '') !== '')
  if (variable === undefined || environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null
  // By default, the SDK sends the command line to the collector, and that may contain an API key.
  environment['OTEL_NODE_RESOURCE_DETECTORS'] ??= 'env,host,serviceinstance'
  if (!namesService(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '')) environment['OTEL_SERVICE_NAME'] ||= 'keyturn'
  const { api, NodeSDK } = await load(variable)
  const { warn } = limitFields(logger)
  if (environment['OTEL_LOG_LEVEL'] === undefined) {
    api.diag.setLogger(diagnostics(warn), { logLevel: api.DiagLogLevel.WARN })
  }
  const sdk = new NodeSDK({ instrumentations: [], metricReaders: [], logRecordProcessors: [] })
  sdk.start()
  return {
    openTelemetry: api,
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise(resolve => {
        timer = setTimeout(resolve, CLOSE_LIMIT)
      })
      const sent = sdk.shutdown().catch((error: unknown) => {
        warn({ error: describeError(error) }, 'the last spans could not be sent')
      })
      await Promise.race([sent, late])
      clearTimeout(timer)
    },
  }
}

/** Whether resource attributes, `key=value` separated by commas, name the service. `OTEL_SERVICE_NAME` overrides it. */
function namesService(attributes: string): boolean {
  return attributes.split(',').some(attribute => attribute.split('=')[0]?.trim() === 'service.name')
}

async function load(variable: string): Promise<{
  api: typeof import('@opentelemetry/api')
  NodeSDK: typeof import('@opentelemetry/sdk-node').NodeSDK
}> {
  try {
    const [api, { NodeSDK }] = await Promise.all([import('@opentelemetry/api'), import('@opentelemetry/sdk-node')])
    return { api, NodeSDK }
  } catch (cause) {
    throw new UsageError(`${variable} is set, but the packages that traces need are not installed. Run: npm install `
      + '@opentelemetry/api @opentelemetry/sdk-node. To start without traces, set OTEL_SDK_DISABLED=true', { cause })
  }
}

/** Writes the SDK's own messages into the server's log. */
function diagnostics(
  warn: Logger['warn'],
): Record<'error' | 'warn' | 'info' | 'debug' | 'verbose', (words: string) => void> {
  const log = (words: string): void => warn({ words: hideCredentials(words) }, 'OpenTelemetry')
  return { error: log, warn: log, info: log, debug: log, verbose: log }
}
