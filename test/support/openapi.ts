/** The same OpenAPI document, with each reference to a schema replaced by the schema. */
export function resolveReferences(document: unknown): unknown {
  const { components: { schemas } } = document as { components: { schemas: Readonly<Record<string, unknown>> } }
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    if (typeof value !== 'object' || value === null) return value
    if ('$ref' in value) return resolve(schemas[String(value.$ref).replace('#/components/schemas/', '')])
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolve(member)]))
  }
  return resolve(document)
}
