import { limitFields } from '../server/log.ts'
import type { Logger } from '../server/log.ts'
import { hideCredentials, describeError } from '../server/observe.ts'
import type { OpenTelemetry } from '../server/traces.ts'
import { UsageError } from './command.ts'

/** The export of spans from this process. */
export interface TraceExport {
  /** What spans are made with. */
  readonly openTelemetry: OpenTelemetry
  /** Sends what is left, if the collector takes it soon. */
  close(): Promise<void>
}

type Environment = Record<string, string | undefined>

/** How long the end of the program may wait for a collector. */
const PATIENCE = 3000
/** DiagLogLevel.WARN of the API. */
const WARN = 50

/**
 * Starts OpenTelemetry's SDK if the environment names a collector, as OpenTelemetry has it: in
 * `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. The SDK reads all its other variables itself.
 * @throws UsageError that says what to install.
 */
export async function startTraceExport(environment: Environment, logger: Logger): Promise<TraceExport | null> {
  const variable = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']
    .find(name => (environment[name] ?? '') !== '')
  if (variable === undefined || environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null
  // The SDK's own choice would tell the collector the command line, which may hold an API key.
  environment['OTEL_NODE_RESOURCE_DETECTORS'] ??= 'env,host,serviceinstance'
  if (!namesService(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '')) environment['OTEL_SERVICE_NAME'] ||= 'keyturn'
  const { api, NodeSDK } = await load(variable)
  const { warn } = limitFields(logger)
  if (environment['OTEL_LOG_LEVEL'] === undefined) api.diag.setLogger(diagnostics(warn), { logLevel: WARN })
  const sdk = new NodeSDK({ instrumentations: [], metricReaders: [], logRecordProcessors: [] })
  sdk.start()
  return {
    openTelemetry: api,
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise(resolve => {
        timer = setTimeout(resolve, PATIENCE)
      })
      const sent = sdk.shutdown().catch((error: unknown) => {
        warn({ error: describeError(error) }, 'the last spans could not be sent')
      })
      await Promise.race([sent, late])
      clearTimeout(timer)
    },
  }
}

/** Whether resource attributes, `key=value` with commas between, have a name for the service. A variable beats it. */
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
    throw new UsageError(`${variable} is set, and traces need two packages that are not there: `
      + 'npm install @opentelemetry/api @opentelemetry/sdk-node (OTEL_SDK_DISABLED=true does without)', { cause })
  }
}

/** What the SDK has to tell, in the server's own log. */
function diagnostics(
  warn: Logger['warn'],
): Record<'error' | 'warn' | 'info' | 'debug' | 'verbose', (words: string) => void> {
  const tell = (words: string): void => warn({ words: hideCredentials(words) }, 'OpenTelemetry')
  return { error: tell, warn: tell, info: tell, debug: tell, verbose: tell }
}
