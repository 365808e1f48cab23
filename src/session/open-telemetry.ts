import type { Engine } from './engine.ts'
import { readGauges } from './gauges.ts'
import { metrics } from './metric-table.ts'
import type { MetricName } from './metric-table.ts'
import { BUCKETS } from './tally.ts'
import type { Labels } from './tally.ts'

/** The part of the API's `MeterProvider` that Keyturn uses. */
export interface MeterProvider {
  getMeter(name: string): Meter
}

interface Meter {
  createHistogram(name: string, options: HistogramOptions): { record(seconds: number, attributes: Labels): void }
  createObservableCounter(name: string, options: MetricOptions): Instrument
  createObservableGauge(name: string, options: MetricOptions): Instrument
  addBatchObservableCallback(callback: Collect, instruments: Instrument[]): void
  removeBatchObservableCallback(callback: Collect, instruments: Instrument[]): void
}

interface MetricOptions {
  readonly unit: string
  readonly description: string
}

interface HistogramOptions extends MetricOptions {
  readonly advice: { readonly explicitBucketBoundaries: number[] }
}

/** An observable instrument. Keyturn only passes it back. */
type Instrument = object

type Collect = (observer: { observe(instrument: Instrument, value: number, attributes: Labels): void }) => void

/**
 * Creates the instruments of an engine. Counters and gauges are read when the application's SDK collects them;
 * durations are recorded as they are measured. Returns the function that removes them.
 */
export function attachMeter(provider: MeterProvider, engine: Engine, attributes: Labels): () => void {
  const meter = provider.getMeter('keyturn')
  const instruments = new Map<MetricName, Instrument>()
  const histograms = new Map<MetricName, ReturnType<Meter['createHistogram']>>()
  for (const [name, { kind, unit, meaning, isServerOnly }] of Object.entries(metrics)) {
    if (isServerOnly === true || !isMetric(name)) continue
    const options = { unit, description: meaning }
    switch (kind) {
      case 'counter': instruments.set(name, meter.createObservableCounter(name, options)); break
      case 'gauge': instruments.set(name, meter.createObservableGauge(name, options)); break
      case 'histogram': histograms.set(name, meter.createHistogram(name, {
        ...options, advice: { explicitBucketBoundaries: [...BUCKETS] },
      }))
    }
  }
  const collect: Collect = observer => {
    for (const { name, labels, value } of [...engine.tally.series(), ...readGauges(engine)]) {
      const instrument = instruments.get(name)
      if (instrument !== undefined) observer.observe(instrument, value, { ...labels, ...attributes })
    }
  }
  const all = [...instruments.values()]
  meter.addBatchObservableCallback(collect, all)
  engine.tally.onDuration = (name, seconds, labels) => {
    histograms.get(name)?.record(seconds, { ...labels, ...attributes })
  }
  return () => {
    engine.tally.onDuration = null
    meter.removeBatchObservableCallback(collect, all)
  }
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metrics, name)
}
