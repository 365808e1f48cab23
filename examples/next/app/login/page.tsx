import { Suspense } from 'react'
import { returnAddress } from 'keyturn'
import { LoginForm } from '../login-form'

export default function Login({ searchParams }: PageProps<'/login'>) {
  return (
    <main>
      <Suspense>
        <Form searchParams={searchParams} />
      </Suspense>
    </main>
  )
}

async function Form({ searchParams }: Pick<PageProps<'/login'>, 'searchParams'>) {
  const { returnTo } = await searchParams
  return <LoginForm returnTo={returnAddress(returnTo)} />
}
