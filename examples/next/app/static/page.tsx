export default function Page() {
  return <p id="state">rendered when it was built</p>
}
