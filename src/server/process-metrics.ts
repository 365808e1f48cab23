import { packageVersion } from './package-version.ts'

/**
 * Writes metrics of the build and of the process, in the text format of Prometheus (0.0.4), under the names that its
 * client libraries use.
 */
export function createProcessMetrics(): () => string {
  const build = `{version="${packageVersion()}",node="${process.versions.node}"}`
  const startedAt = (Date.now() / 1000 - process.uptime()).toFixed(3)
  return () => {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    const values: readonly (readonly [name: string, kind: string, help: string, value: number | string])[] = [
      [`keyturn_build_info${build}`, 'gauge', 'The versions of Keyturn and of Node.', 1],
      ['process_start_time_seconds', 'gauge', 'When the process started, in seconds since 1970.', startedAt],
      ['process_cpu_seconds_total', 'counter', 'CPU time of the process, in seconds.', (user + system) / 1e6],
      ['process_resident_memory_bytes', 'gauge', 'Memory of the process, in bytes.', rss],
      ['nodejs_heap_size_used_bytes', 'gauge', 'Memory that JavaScript uses, in bytes.', heapUsed],
    ]
    return values.map(([series, kind, help, value]) => {
      const name = series.split('{')[0] ?? series
      return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${series} ${value}\n`
    }).join('')
  }
}
