import type { Engine } from './engine.ts'
import type { MeterProvider } from './open-telemetry.ts'

/**
 * Where `@opentelemetry/api`, version 1, keeps the providers that an application has registered. Read from there, the
 * metrics need no import: a bundler has nothing to resolve, and an application without OpenTelemetry loads nothing.
 */
const API = Symbol.for('opentelemetry.js.api.1')

/**
 * Reports the metrics of an engine to OpenTelemetry, as soon as a meter provider is registered: looks for one after
 * each call of the store, never during a verification. Returns the function that stops it.
 */
export function reportToOpenTelemetry(engine: Engine, application: string): () => void {
  let isStopped = false
  let detach = (): void => undefined
  const look = (): void => {
    const provider = findProvider()
    if (provider === null) return
    engine.tally.onDuration = null
    import('./open-telemetry.ts').then(({ attachMeter }) => {
      if (!isStopped) detach = attachMeter(provider, engine, { 'keyturn.application': application })
    }, () => {
      // A bundle that lost this file must not end the process.
    })
  }
  engine.tally.onDuration = look
  return () => {
    isStopped = true
    engine.tally.onDuration = null
    detach()
  }
}

const host: typeof globalThis & { readonly [API]?: { readonly metrics?: Partial<MeterProvider> } } = globalThis

function findProvider(): MeterProvider | null {
  const provider = host[API]?.metrics
  return isProvider(provider) ? provider : null
}

function isProvider(provider: Partial<MeterProvider> | undefined): provider is MeterProvider {
  return typeof provider?.getMeter === 'function'
}
