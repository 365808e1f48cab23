import { availableParallelism, cpus, loadavg } from 'node:os'

/** The machine and versions of a measurement, for its report. */
export function machine(): string {
  const [load = 0] = loadavg()
  const { node, openssl } = process.versions
  return `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, `
    + `Node ${node}, OpenSSL ${openssl}, load ${load.toFixed(1)} at the end.`
}
