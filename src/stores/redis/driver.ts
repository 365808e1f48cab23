/** One way to a Redis server or cluster, the same for every client library. */
export interface RedisDriver {
  /** Whether keys of different slots may lie on different servers. */
  readonly cluster: boolean
  /** Sends a command to the primary of a key. */
  send(key: string, command: readonly string[]): Promise<unknown>
  /** Sends a command after all that was sent to the primary of a key, over the same connection. */
  sendAfter(key: string, command: readonly string[]): Promise<unknown>
  /** Sends a command to every primary. */
  sendToAll(command: readonly string[]): Promise<readonly unknown[]>
  /** Another connection to the same data. */
  duplicate(): Promise<RedisDriver>
  /**
   * Calls `wake` for every message and after every reconnection. The connection can be used for nothing else
   * afterwards.
   */
  subscribe(channel: string, wake: () => void): Promise<void>
  /** Ends the connection at once. */
  close(): void
}
