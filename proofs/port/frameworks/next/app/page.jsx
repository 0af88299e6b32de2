export const dynamic = 'force-dynamic';

export default function Page() {
  return <h1>The shop of Next.js, served by {process.pid}</h1>;
}
