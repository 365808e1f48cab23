/** A connection to a Redis server or cluster, with the same methods for every client library. */
export interface RedisDriver {
  /** Whether keys of different slots may be on different servers. */
  readonly cluster: boolean
  /** Sends a command to the primary of a key. */
  send(key: string, command: readonly string[]): Promise<unknown>
  /**
   * Sends a command to the primary of a key, over the same connection as, and after, all commands sent to it before.
   */
  sendAfter(key: string, command: readonly string[]): Promise<unknown>
  /** Sends a command to every primary. */
  sendToAll(command: readonly string[]): Promise<readonly unknown[]>
  /** Opens another connection to the same data. */
  duplicate(): Promise<RedisDriver>
  /**
   * Calls `wake` for every message and after every reconnection. The connection can be used for nothing else
   * afterwards.
   */
  subscribe(channel: string, wake: () => void): Promise<void>
  /** Closes the connection at once. */
  close(): void
}
