import type { MysqlPool } from '../../src/stores/mysql.ts'

/** A pool of MariaDB connections whose server claims to be MySQL, so that the store treats it as MySQL. */
export function asMysql(pool: MysqlPool): MysqlPool {
  return {
    async getConnection() {
      const connection = await pool.getConnection()
      return {
        async execute(sql, values) {
          const answer = await connection.execute(sql, values)
          return sql.startsWith('SHOW VARIABLES') ? [renamed(answer[0]), null] : answer
        },
        query: sql => connection.query(sql),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      }
    },
  }
}

function renamed(rows: unknown): unknown {
  const variables: { readonly Variable_name: string; readonly Value: string }[] = Array.isArray(rows) ? rows : []
  return variables.map(row => row.Variable_name === 'version' ? { ...row, Value: '8.4.0' } : row)
}
