// Metrics of embedded sessions: with OpenTelemetry's own SDK, and without any.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNoopMeter, metrics as api } from '@opentelemetry/api'
import type { Meter } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import {
  AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/base/json.ts'
import { createSessions } from '../../src/create-sessions.ts'
import type { Sessions } from '../../src/create-sessions.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { metrics, prometheusName } from '../../src/session/metric-table.ts'
import type { MetricName } from '../../src/session/metric-table.ts'
import '../../src/session/open-telemetry.ts'
import { BUCKETS, Tally, DurationSeries } from '../../src/session/tally.ts'
import { TokenCache } from '../../src/session/token-cache.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { inMemory } from '../../src/testing/index.ts'
import { createTestCore, login, refreshed, settle } from '../support/test-core.ts'

const origin = 'https://app.example.com'
const names = Object.keys(metrics) as MetricName[]
const embedded = names.filter(name => metrics[name].isServerOnly !== true)

/** One data point of a metric. */
interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

type Collected = ReadonlyMap<string, { readonly unit: string; readonly points: readonly Point[] }>

/** Registers OpenTelemetry's SDK, which collects when it is asked. */
function registerSdk(): { collect(): Promise<Collected> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  api.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  return {
    async collect() {
      exporter.reset()
      const { resourceMetrics, errors } = await reader.collect()
      expect(errors).toEqual([])
      return new Map(resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics).map(({ descriptor, dataPoints }) => (
        [descriptor.name, {
          unit: descriptor.unit,
          points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        }])))
    },
  }
}

afterEach(() => api.disable())

async function use(sessions: Sessions<JsonObject, JsonObject>): Promise<void> {
  await sessions.ready()
  await settle()
  const request = new Request(`${origin}/login`, { method: 'POST', headers: { origin } })
  const response = new Headers()
  await webSessions(sessions).createNewSession(request, response, 'alice')
}

describe('L-36: embedded metrics', () => {
  test('L-36: reach the meter provider that the application has registered, with the units of the table', async () => {
    const { collect } = registerSdk()
    const sessions = createSessions({ origin, ...inMemory(), application: 'shop' })
    await use(sessions)
    const found = await collect()
    const shop = { 'keyturn.application': 'shop' }
    expect(found.get('keyturn.sessions.created'))
      .toEqual({ unit: '{session}', points: [{ attributes: shop, value: 1 }] })
    expect(found.get('keyturn.keys.made')?.points).toEqual([
      { attributes: { purpose: 'refresh', ...shop }, value: 1 },
      { attributes: { purpose: 'access', ...shop }, value: 1 },
    ])
    expect(found.get('keyturn.key.rotation.due'))
      .toEqual({ unit: 's', points: [{ attributes: shop, value: 7 * 86_400 }] })
    expect(found.get('keyturn.feed.age')?.points).toEqual([{ attributes: shop, value: 0 }])
    const inserts = found.get('keyturn.store.call.duration')?.points
      .find(({ attributes }) => attributes['operation'] === 'insert')
    expect(inserts).toMatchObject({
      attributes: { operation: 'insert', ...shop }, value: { count: 1, buckets: { boundaries: [...BUCKETS] } },
    })
    for (const [name, { unit }] of found) {
      expect(embedded.find(each => each === name && metrics[each].unit === unit)).toBe(name)
    }
    await sessions.close()
  })

  test('L-36: with the views of docs/health-and-metrics.md, the exporter for Prometheus writes the names of the alerts', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/health-and-metrics.md'), 'utf8')
    const measured = [...(/^const measured = \[(.*)\]$/m.exec(page)?.[1] ?? '').matchAll(/'([^']+)'/g)]
    const views = measured.map(([, name]) => ({ instrumentName: `keyturn.${name}`, name: `keyturn.${name}.seconds` }))
    const exporter = new PrometheusExporter({ preventServerStart: true })
    api.setGlobalMeterProvider(new MeterProvider({ readers: [exporter], views }))
    const sessions = createSessions({ origin, ...inMemory() })
    await use(sessions)
    const { resourceMetrics } = await exporter.collect()
    const text = new PrometheusSerializer().serialize(resourceMetrics)
    const found = new Set([...text.matchAll(/^# TYPE (keyturn_\w+)/gm)].map(([, name]) => name))
    const known = new Set(embedded.map(prometheusName))
    expect([...found].filter(name => name !== undefined && !known.has(name))).toEqual([])
    for (const name of embedded.filter(each => metrics[each].unit === 's' && each !== 'keyturn.refresh.duration')) {
      expect(found).toContain(prometheusName(name))
    }
    // An alert waits for an increase of these.
    for (const series of ['keyturn_token_thefts_total', 'keyturn_refreshes_rejected_total{reason="forged"']) {
      expect(text).toMatch(new RegExp(`^${series.replace('{', '\\{')}.* 0$`, 'm'))
    }
    await sessions.close()
  })

  test('L-36: close() takes the callback back', async () => {
    const callbacks = new Set<unknown>()
    const meter: Pick<Meter, 'addBatchObservableCallback' | 'removeBatchObservableCallback'> = {
      addBatchObservableCallback: callback => void callbacks.add(callback),
      removeBatchObservableCallback: callback => void callbacks.delete(callback),
    }
    api.setGlobalMeterProvider({ getMeter: () => Object.assign(createNoopMeter(), meter) })
    const sessions = createSessions({ origin, ...inMemory() })
    await use(sessions)
    expect(callbacks.size).toBe(1)
    await sessions.close()
    expect(callbacks.size).toBe(0)
  })

  test('L-36: a provider that is registered later is found by the next store call', async () => {
    const sessions = createSessions({ origin, ...inMemory() })
    await use(sessions)
    const { collect } = registerSdk()
    await sessions.revokeAllSessionsForUser('bob')
    await settle()
    // Counters say what has happened since the start of the process.
    expect((await collect()).get('keyturn.sessions.created')?.points).toMatchObject([{ value: 1 }])
    await sessions.close()
  })

  test('L-36: without OpenTelemetry nothing is read but one property of the global object', async () => {
    expect(Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'))?.metrics).toBeUndefined()
    const sessions = createSessions({ origin, ...inMemory() })
    await use(sessions)
    await sessions.close()
  })

  test('L-36: a verification of a known token calls nothing of the metrics: it adds to an integer of the cache', async () => {
    const { core } = createTestCore()
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    const calls: string[] = []
    const originals = { counter: Tally.prototype.counter, duration: Tally.prototype.duration }
    const { add } = DurationSeries.prototype
    for (const name of ['counter', 'duration'] as const) Reflect.set(Tally.prototype, name, () => calls.push(name))
    DurationSeries.prototype.add = () => calls.push('add')
    try {
      for (let time = 0; time < 100; time++) expect(core.verifyNow(accessToken)).toMatchObject({ kind: 'active' })
    } finally {
      Object.assign(Tally.prototype, originals)
      DurationSeries.prototype.add = add
    }
    expect(calls).toEqual([])
    expect((await core.health()).cache).toEqual({ entries: 1, hits: 100, misses: 1 })
  })

  test('L-36: events, refreshes, rejected tokens and failed calls are counted', async () => {
    const { collect } = registerSdk()
    const inner = createMemoryStore()
    let isDown = false
    const sessions = createSessions({ origin, ...inMemory(), store: {
      ...inner, find: handle => isDown ? Promise.reject(new Error('down')) : inner.find(handle),
    } })
    await use(sessions)
    const web = webSessions(sessions)
    const headers = { authorization: `Bearer ${(await login(createTestCore().core)).accessToken}`, origin }
    expect(await web.readSession(new Request(origin, { headers }))).toMatchObject({ kind: 'needs-refresh' })
    isDown = true
    await expect(sessions.getSessionInfo('hAAAAAAAAAAAAAAAAAAAAAA'))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await sessions.revokeAllSessionsForUser('alice')
    const found = await collect()
    expect(found.get('keyturn.store.failures')?.points).toMatchObject([
      { attributes: { operation: 'find', reason: 'store-failed' }, value: 1 },
    ])
    expect(found.get('keyturn.sessions.revoked')?.points)
      .toMatchObject([{ attributes: { reason: 'revoked' }, value: 1 }])
    expect(found.get('keyturn.verifications.rejected')?.points).toContainEqual(
      { attributes: { reason: 'unrecognized', 'keyturn.application': 'default' }, value: 1 })
    await sessions.close()
  })
})

describe('L-36: the table of metrics', () => {
  test('L-36: names follow the conventions of OpenTelemetry and of Prometheus', () => {
    for (const name of names) {
      expect(name).toMatch(/^keyturn(\.[a-z]+)+$/)
      const { kind, unit, labels, meaning } = metrics[name]
      expect(unit).toMatch(/^(?:s|\{[a-z]+\})$/)
      expect(meaning).toMatch(/^[A-Z].*\.$/)
      expect(labels.every(label => /^[a-z]+$/.test(label))).toBe(true)
      expect(prometheusName(name).endsWith('_total')).toBe(kind === 'counter')
      expect(prometheusName(name).includes('_seconds')).toBe(unit === 's')
    }
    expect(new Set(names.map(prometheusName)).size).toBe(names.length)
    expect(prometheusName('keyturn.store.call.duration')).toBe('keyturn_store_call_duration_seconds')
  })

  test('L-36: a tally keeps one series for each set of labels, and cumulative buckets', async () => {
    const tally = new Tally()
    tally.counter('keyturn.sessions.revoked', { reason: 'theft' }).value++
    tally.counter('keyturn.sessions.revoked', { reason: 'theft' }).value += 2
    tally.counter('keyturn.sessions.revoked', { reason: 'evicted' }).value++
    expect(tally.series().map(({ value }) => value)).toEqual([3, 1])
    for (const seconds of [0.001, 0.3, 60]) {
      tally.duration('keyturn.refresh.duration', { result: 'refreshed' }).add(seconds)
    }
    const [durations] = tally.durations()
    expect(durations?.values.counts).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3])
    expect(durations?.values.sum).toBeCloseTo(60.301)
  })

  test('L-36: a cache counts its look-ups', () => {
    const cache = new TokenCache<{ readonly expiresAt: number }>(1)
    cache.get('a')
    cache.set('a', { expiresAt: 1 }, 0)
    cache.get('a')
    expect([cache.hits, cache.misses]).toEqual([1, 1])
  })

  test('L-36: refreshes are measured by their result', async () => {
    const { core } = createTestCore({ reuseInterval: 0 })
    const tallied: string[] = []
    const duration = Tally.prototype.duration
    Tally.prototype.duration = function (name, labels) {
      if (name === 'keyturn.refresh.duration') tallied.push(String(labels?.['result']))
      return duration.call(this, name, labels)
    }
    try {
      const first = await login(core)
      const second = await refreshed(core, first.refreshToken)
      await core.refresh('not a token', 'header', { ip: null, userAgent: null })
      const third = await refreshed(core, second.refreshToken)
      await core.verify(third.accessToken)
      await core.refresh(first.refreshToken, 'header', { ip: null, userAgent: null })
    } finally {
      Tally.prototype.duration = duration
    }
    expect(tallied).toEqual(['refreshed', 'unauthorized', 'refreshed', 'theft'])
  })
})
