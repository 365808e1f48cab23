import { sampleRecord } from '../../src/testing/samples.ts'
import { sessionColumns, sessionValues } from '../../src/stores/sql/session-row.ts'

/**
 * The columns and values of an INSERT ... SELECT that creates many sessions: those of the sample, except for columns
 * that are given as expressions.
 */
export function manySessions(
  expressions: Readonly<Record<string, string>>,
): { readonly columns: string; readonly values: string } {
  const sample = sessionValues(sampleRecord()).map(value => typeof value === 'string' ? `'${value}'` : `${value}`)
  const all = { ...Object.fromEntries(sessionColumns.map((column, index) => [column, sample[index]])), ...expressions }
  return { columns: Object.keys(all).join(', '), values: Object.values(all).join(', ') }
}
