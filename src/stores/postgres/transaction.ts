import type { PostgresClient } from './driver.ts'

/** What runs the statements of a transaction. */
export type Transaction = Pick<PostgresClient, 'query'>

/**
 * Runs work in one transaction, which ends with it. If it cannot be rolled back, throws the error of that: the
 * connection cannot be used again.
 */
export async function inTransaction<T>(
  client: Pick<PostgresClient, 'query' | 'transaction'>,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  if (client.transaction !== undefined) return client.transaction(work)
  await client.query({ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' })
  try {
    const result = await work(client)
    await client.query({ text: 'COMMIT' })
    return result
  } catch (error) {
    await client.query({ text: 'ROLLBACK' })
    throw error
  }
}
