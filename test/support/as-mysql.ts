import type { MysqlPool } from '../../src/stores/mysql.ts'

/** A pool of MariaDB connections whose server says that it is a MySQL, so that the store does as it would on one. */
export function asMysql(pool: MysqlPool): MysqlPool {
  return {
    async getConnection() {
      const connection = await pool.getConnection()
      return {
        execute: (sql, values) => sql.includes('VERSION()')
          ? Promise.resolve([[{ version: '8.4.0' }], null])
          : connection.execute(sql, values),
        query: sql => connection.query(sql),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      }
    },
  }
}
