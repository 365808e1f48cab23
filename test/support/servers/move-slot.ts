import { Redis } from 'ioredis'
import type { ClusterNode } from './redis-cluster.ts'

/** A slot of a Redis Cluster that is being moved to another primary. */
export interface MovingSlot {
  /** Moves the slot's keys and completes the move. */
  finish(): Promise<void>
}

/** Begins to move the slot of a key to the next primary: from now on, each of the two may have some of its keys. */
export async function beginMove(nodes: readonly ClusterNode[], key: string): Promise<MovingSlot> {
  return withAdmins(nodes, async admins => {
    const slot = Number(await admins[0]?.cluster('KEYSLOT', key))
    const owners = await Promise.all(admins.map(admin => ownsSlot(admin, slot)))
    const from = owners.indexOf(true)
    const to = (from + 1) % nodes.length
    const [source, target, sourceNode, targetNode] = [admins[from], admins[to], nodes[from], nodes[to]]
    if (source === undefined || target === undefined || sourceNode === undefined || targetNode === undefined) {
      throw new Error(`no primary has the slot of ${key}`)
    }
    const [sourceId, targetId] = [await source.cluster('MYID'), await target.cluster('MYID')]
    await target.cluster('SETSLOT', slot, 'IMPORTING', sourceId)
    await source.cluster('SETSLOT', slot, 'MIGRATING', targetId)
    return { finish: () => finish(nodes, slot, sourceNode, targetNode) }
  })
}

async function finish(nodes: readonly ClusterNode[], slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
  await withAdmins([to, from, ...nodes.filter(node => node !== from && node !== to)], async admins => {
    const [target, source] = admins
    if (source === undefined || target === undefined) throw new Error('there are two of them')
    for (;;) {
      const keys = await source.cluster('GETKEYSINSLOT', slot, 10)
      if (keys.length === 0) break
      await source.call('MIGRATE', to.host, `${to.port}`, '', '0', '5000', 'KEYS', ...keys)
    }
    const id = await target.cluster('MYID')
    // The new owner learns it first, so that there is always one.
    for (const admin of admins) await admin.cluster('SETSLOT', slot, 'NODE', id)
  })
}

async function ownsSlot(admin: Redis, slot: number): Promise<boolean> {
  const own = `${await admin.cluster('NODES')}`.split('\n').find(line => line.includes('myself')) ?? ''
  return own.split(' ').slice(8).filter(range => !range.startsWith('[')).some(range => {
    const [first = '', last = first] = range.split('-')
    return Number(first) <= slot && slot <= Number(last)
  })
}

async function withAdmins<T>(
  nodes: readonly ClusterNode[],
  work: (admins: readonly Redis[]) => Promise<T>,
): Promise<T> {
  const admins = nodes.map(({ host, port }) => new Redis(port, host))
  try {
    return await work(admins)
  } finally {
    for (const admin of admins) admin.disconnect()
  }
}
